import { createHash } from 'node:crypto'
import type { KubeObject } from '../../../kube/types.ts'

const managedBy = { 'app.kubernetes.io/managed-by': 'kubectl-karmada-net' }
export const partOf = { ...managedBy, 'app.kubernetes.io/part-of': 'karmada-net' }

const memberLabel = 'karmada-net.io/etcd-member'

/** Annotations of a member's pod. */
export const annotation = {
  version: 'karmada-net.io/etcd-version',
  generation: 'karmada-net.io/etcd-generation',
  /** The reference that was asked for, where `--image-registry` led to another. */
  image: 'karmada-net.io/etcd-image',
  /** Changes with the certificates: a pod that is written to has its volumes looked at soon. */
  files: 'karmada-net.io/etcd-files',
} as const

export const labels = (component: string, cluster: string, member?: string): Record<string, string> => ({
  ...partOf,
  'app.kubernetes.io/component': component,
  'app.kubernetes.io/instance': cluster,
  ...(member !== undefined && { [memberLabel]: member }),
})

/** A StatefulSet's name returns in a label of its pods with eleven characters more, and a label holds 63. */
const longest = 52

export function memberName(cluster: string, member: string): string {
  const name = `etcd-${cluster}-${member}`
  if (name.length <= longest) return name
  const digest = createHash('sha256').update(`${cluster}/${member}`).digest('hex').slice(0, 8)
  return `${name.slice(0, longest - 9)}-${digest}`
}

/** May it be changed or deleted on behalf of this owner? */
export const carries = ({ metadata }: KubeObject, owner: Record<string, string>): boolean =>
  Object.entries(owner).every(([label, value]) => metadata.labels?.[label] === value)
