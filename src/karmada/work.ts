import type { KubeObject } from '../kube/types.ts'
import type { Condition } from './cluster.ts'

/** Objects on their way to one member (`work.karmada.io/v1alpha1`); the member's karmada-agent fetches and applies them. */
export interface Work extends KubeObject {
  spec: { workload: { manifests: KubeObject[] } }
  status?: {
    conditions?: Condition[]
    manifestStatuses?: { identifier: { kind: string; name: string }; status?: unknown; health?: string }[]
  }
}

const workType = { apiVersion: 'work.karmada.io/v1alpha1', kind: 'Work' }

/** The namespace on the control plane that belongs to one member. */
export const executionNamespace = (member: string): string => `karmada-es-${member}`

export const workRef = (member: string, name: string) => ({ ...workType, name, namespace: executionNamespace(member) })

/**
 * A Work that brings `manifests` to `member`, replaces what stands there, and takes them away again when it is deleted.
 * Without the finalizer the objects would stay behind; without the label Karmada refuses to delete them; without
 * the annotation it refuses to take over what exists.
 */
export function buildWork(member: string, name: string, labels: Record<string, string>, manifests: KubeObject[]): Work {
  return {
    ...workType,
    metadata: {
      name,
      namespace: executionNamespace(member),
      labels,
      finalizers: ['karmada.io/execution-controller'],
    },
    spec: { workload: { manifests: manifests.map(asManaged) } },
  }
}

function asManaged(manifest: KubeObject): KubeObject {
  const { metadata } = manifest
  return {
    ...manifest,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, 'karmada.io/managed': 'true' },
      annotations: { ...metadata.annotations, 'work.karmada.io/conflict-resolution': 'overwrite' },
    },
  }
}

/** Why the member has not applied the Work, in karmada-agent's words; undefined once it has. */
export function notApplied(work: Work | undefined): string | undefined {
  const applied = work?.status?.conditions?.find(condition => condition.type === 'Applied')
  if (applied?.status === 'True') return undefined
  return applied?.message ?? 'karmada-agent has not fetched the Work yet'
}
