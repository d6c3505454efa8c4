import type { MemberPaths } from '../driver.ts'

/** Names of everything that one member has on its engine. A dot cannot be in a member's name, so nothing meets a neighbour's. */
export interface Names {
  cluster: string
  member: string
  container: string
  /** The container that is about to take the place of `container`. */
  next: string
  /** Never started: lends its access to the volume of the certificates. */
  files: string
  etcdutl: string
  pkiVolume: string
  dataVolume(generation: number): string
  /** The generation of a volume that is named as our data; undefined: it is not. */
  generationOf(volume: string): number | undefined
  labels: Record<string, string>
}

export const generationLabel = 'karmada-net.io/generation'
export const launchLabel = 'karmada-net.io/launch'
/** Of a data volume: the life of the cluster that it was made for. */
export const tokenLabel = 'karmada-net.io/token'
/** Of a data volume: etcdutl fills it before any etcd runs on it. */
export const restoredLabel = 'karmada-net.io/restored'

export function namesOf(cluster: string, member: string): Names {
  const container = `karmada-net-etcd-${cluster}-${member}`
  const data = `${container}-data-`
  return {
    cluster,
    member,
    container,
    next: `${container}.next`,
    files: `${container}.files`,
    etcdutl: `${container}.etcdutl`,
    pkiVolume: `${container}-pki`,
    dataVolume: generation => `${data}${generation}`,
    generationOf: volume =>
      volume.startsWith(data) && /^\d+$/.test(volume.slice(data.length))
        ? Number(volume.slice(data.length))
        : undefined,
    labels: {
      'app.kubernetes.io/managed-by': 'kubectl-karmada-net',
      'app.kubernetes.io/part-of': 'karmada-net',
      'app.kubernetes.io/component': 'etcd',
      'app.kubernetes.io/instance': cluster,
      'karmada-net.io/member': member,
    },
  }
}

/** Why something of this name is not this member's; undefined: it is. */
export function whyForeign(what: string, labels: Record<string, string>, names: Names): string | undefined {
  const [ours, theirs] = [names.labels, labels]
  if (Object.entries(ours).every(([key, value]) => theirs[key] === value)) return undefined
  const made = 'app.kubernetes.io/managed-by'
  if (theirs[made] !== ours[made]) return `${what} was not made by this plugin`
  return `${what} belongs to member ${theirs['karmada-net.io/member']} of etcd ${theirs['app.kubernetes.io/instance']}`
}

/** In the containers. */
export const dataMount = '/var/lib/etcd'
export const dataFolder = 'data'
export const pkiMount = '/etc/etcd/pki'

export const paths: MemberPaths = {
  // One volume is one generation, so the path need not tell them apart.
  data: () => `${dataMount}/${dataFolder}`,
  pki: `${pkiMount}/current`,
}

/** Where etcd's log is, once it has begun. */
export const logIn = ({ generation }: { generation: number }): string => `${paths.data(generation)}/member/wal`

/** Who etcd runs as: "nonroot" of the distroless images, unknown to the machine. */
export const user = 65532

export const labelFlags = (labels: Record<string, string>): string[] =>
  Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`])

export const labelFilters = (labels: Record<string, string>): string[] =>
  Object.entries(labels).flatMap(([key, value]) => ['--filter', `label=${key}=${value}`])
