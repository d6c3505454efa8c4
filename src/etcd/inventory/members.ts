import { resolve } from 'node:path'
import type { DriverSpec, MemberSpec } from '../cluster.ts'

/** A member as inventories and flags say it: a driver's fields under its name, defaults left out. */
export interface MemberEntry {
  name: string
  address: string
  listen?: string | undefined
  site?: string | undefined
  docker?: { host?: string | undefined; context?: string | undefined } | undefined
  kubernetes?: KubernetesEntry | undefined
  files?: { directory: string; run?: 'systemd' | 'static-pod' | undefined } | undefined
}

export interface KubernetesEntry {
  context: string
  namespace?: string | undefined
  node?: string | undefined
  storage?: { hostPath?: string | undefined; storageClass?: string | undefined; size?: string | undefined } | undefined
}

const defaultNamespace = 'karmada-net-etcd'
/** The driver gives each member of each cluster a folder of its own in it. */
const defaultHostPath = '/var/lib/karmada-net/etcd'
const defaultSize = '20Gi'

/** With defaults filled in. `folder`: what relative paths of this machine are relative to. */
export function memberOf(entry: MemberEntry, folder: string): MemberSpec {
  const { name, address, listen, site = name } = entry
  return { name, address, ...(listen !== undefined && { listen }), site, driver: driverOf(entry, folder) }
}

function driverOf({ docker, kubernetes, files }: MemberEntry, folder: string): DriverSpec {
  if (kubernetes) {
    const { context, namespace = defaultNamespace, node, storage = {} } = kubernetes
    return {
      kind: 'kubernetes',
      context,
      namespace,
      ...(node !== undefined && { node }),
      storage: storage.storageClass
        ? { storageClass: storage.storageClass, size: storage.size ?? defaultSize }
        : { hostPath: storage.hostPath ?? defaultHostPath },
    }
  }
  // Other commands run from other folders: what is remembered is absolute.
  if (files) return { kind: 'files', directory: resolve(folder, files.directory), run: files.run ?? 'systemd' }
  return { kind: 'docker', ...docker }
}

/** The other way; fields that are as the default would be are left out. */
export function entryOf({ name, address, listen, site, driver }: MemberSpec): MemberEntry {
  const common = { name, address, ...(listen !== undefined && { listen }), ...(site !== name && { site }) }
  if (driver.kind === 'kubernetes') {
    const { kind: _, ...kubernetes } = driver
    return { ...common, kubernetes }
  }
  const { kind, ...rest } = driver
  return { ...common, [kind]: rest }
}
