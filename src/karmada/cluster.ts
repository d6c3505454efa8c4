import type { KubeClient, KubeObject } from '../kube/types.ts'

/** A member as Karmada knows it (`cluster.karmada.io/v1alpha1`); only the fields that we read or write. */
export interface Cluster extends KubeObject {
  spec: {
    /** UID of the member's kube-system namespace. */
    id?: string
    syncMode: 'Push' | 'Pull'
    apiEndpoint?: string
    proxyURL?: string
    secretRef?: SecretRef
    impersonatorSecretRef?: SecretRef
    insecureSkipTLSVerification?: boolean
  }
  status?: {
    kubernetesVersion?: string
    conditions?: Condition[]
  }
}

interface SecretRef {
  namespace: string
  name: string
}

export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason?: string
  message?: string
  lastTransitionTime?: string
}

export const clusterType = { apiVersion: 'cluster.karmada.io/v1alpha1', kind: 'Cluster' }

export const clusterRef = (name: string) => ({ ...clusterType, name })

export const readyCondition = (cluster: Cluster): Condition | undefined =>
  cluster.status?.conditions?.find(condition => condition.type === 'Ready')

export const isReady = (cluster: Cluster): boolean => readyCondition(cluster)?.status === 'True'

/**
 * The member's API through Karmada's aggregated API server (`clusters/NAME/proxy`): needs no kubeconfig of the member,
 * but a way from the control plane to it.
 */
export const memberThroughKarmada = (karmada: KubeClient, name: string): KubeClient =>
  karmada.at(`/apis/cluster.karmada.io/v1alpha1/clusters/${name}/proxy`)
