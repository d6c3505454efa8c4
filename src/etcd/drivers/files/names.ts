import type { FilesSpec, MemberSpec } from '../../cluster.ts'
import type { Launch, MemberPaths } from '../driver.ts'

/** A member's folder here, and how its machine runs it. */
export interface Place {
  cluster: string
  member: MemberSpec
  run: FilesSpec['run']
  /** Of this member alone. */
  folder: string
}

/** A machine has at most one member of a cluster, since no two have the same address. */
export const unitName = (cluster: string): string => `etcd-${cluster}`

export const configFolder = (cluster: string): string => `/etc/etcd-${cluster}`
export const dataFolder = (cluster: string): string => `/var/lib/etcd-${cluster}`
/** One folder per version: the old one is still there when the new one does not start. */
export const binaryFolder = (version: string): string => `/opt/etcd/v${version}`

/** On the member's machine. */
export const pathsOf = (cluster: string): MemberPaths => ({
  data: generation => `${dataFolder(cluster)}/generation-${generation}`,
  pki: `${configFolder(cluster)}/pki`,
})

/** Where etcd answers /livez and /readyz in plain http, to its own machine alone. */
export function metricsPort({ args }: Pick<Launch, 'args'>): number {
  const flag = args.find(arg => arg.startsWith('--listen-metrics-urls='))
  return Number(/:(\d+)$/.exec(flag ?? '')?.[1] ?? 2381)
}

/** In the member's folder. */
export const restoreFolder = 'restore'
export const restoreFile = 'restore.sh'
export const restoreScript = `${restoreFolder}/${restoreFile}`
