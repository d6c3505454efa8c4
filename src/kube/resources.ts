/** How a kind is called in URLs. */
export interface Resource {
  plural: string
  namespaced: boolean
}

type Kinds = { namespaced?: string; cluster?: string }

/** The kinds that the commands use, so that no call has to ask the server first. Everything else is discovered. */
const known: Record<string, Kinds> = {
  v1: {
    namespaced:
      'ConfigMap Endpoints Event PersistentVolumeClaim Pod PodTemplate ReplicationController Secret Service ServiceAccount',
    cluster: 'Namespace Node PersistentVolume',
  },
  'apps/v1': { namespaced: 'DaemonSet Deployment ReplicaSet StatefulSet' },
  'batch/v1': { namespaced: 'CronJob Job' },
  'autoscaling/v2': { namespaced: 'HorizontalPodAutoscaler' },
  'policy/v1': { namespaced: 'PodDisruptionBudget' },
  'networking.k8s.io/v1': { namespaced: 'Ingress NetworkPolicy', cluster: 'IngressClass' },
  'discovery.k8s.io/v1': { namespaced: 'EndpointSlice' },
  'coordination.k8s.io/v1': { namespaced: 'Lease' },
  'events.k8s.io/v1': { namespaced: 'Event' },
  'scheduling.k8s.io/v1': { cluster: 'PriorityClass' },
  'storage.k8s.io/v1': { cluster: 'StorageClass' },
  'rbac.authorization.k8s.io/v1': { namespaced: 'Role RoleBinding', cluster: 'ClusterRole ClusterRoleBinding' },
  'authentication.k8s.io/v1': { cluster: 'SelfSubjectReview TokenReview' },
  'authorization.k8s.io/v1': {
    namespaced: 'LocalSubjectAccessReview',
    cluster: 'SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview',
  },
  'certificates.k8s.io/v1': { cluster: 'CertificateSigningRequest' },
  'admissionregistration.k8s.io/v1': { cluster: 'MutatingWebhookConfiguration ValidatingWebhookConfiguration' },
  'apiextensions.k8s.io/v1': { cluster: 'CustomResourceDefinition' },
  'apiregistration.k8s.io/v1': { cluster: 'APIService' },
  'cluster.karmada.io/v1alpha1': { cluster: 'Cluster' },
  'work.karmada.io/v1alpha1': { namespaced: 'Work' },
  'work.karmada.io/v1alpha2': { namespaced: 'ResourceBinding', cluster: 'ClusterResourceBinding' },
  'policy.karmada.io/v1alpha1': {
    namespaced: 'OverridePolicy PropagationPolicy',
    cluster: 'ClusterOverridePolicy ClusterPropagationPolicy',
  },
  'networking.karmada.io/v1alpha1': { namespaced: 'MultiClusterIngress MultiClusterService' },
  'multicluster.x-k8s.io/v1alpha1': { namespaced: 'ServiceExport ServiceImport' },
  'operator.karmada.io/v1alpha1': { namespaced: 'Karmada' },
}

/** The resource of a kind that is known without asking the server. */
export function knownResource(apiVersion: string, kind: string): Resource | undefined {
  const kinds = known[apiVersion]
  if (kinds?.namespaced?.split(' ').includes(kind)) return { plural: plural(kind), namespaced: true }
  if (kinds?.cluster?.split(' ').includes(kind)) return { plural: plural(kind), namespaced: false }
  return undefined
}

/** `NetworkPolicy` -> `networkpolicies`: the rule that all kinds of the table follow. */
function plural(kind: string): string {
  const name = kind.toLowerCase()
  if (name === 'endpoints') return name
  if (name.endsWith('s')) return `${name}es`
  return /[^aeiou]y$/.test(name) ? `${name.slice(0, -1)}ies` : `${name}s`
}

/** Discovery's answer about one group version, as far as it is used. */
export interface ApiResourceList {
  resources?: { name: string; kind: string; namespaced: boolean }[]
}

/** The resource of a kind in a discovery answer; subresources (`pods/log`) are no resources of their own. */
export function discoveredResource(list: ApiResourceList, kind: string): Resource | undefined {
  const found = list.resources?.find(resource => resource.kind === kind && !resource.name.includes('/'))
  return found && { plural: found.name, namespaced: found.namespaced }
}

/** `/api/v1` or `/apis/GROUP/VERSION`. */
export function groupPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
}

/** The URL path of a collection, or of one object in it. A namespaced object needs its namespace; cluster-scoped kinds ignore it. */
export function resourcePath(
  apiVersion: string,
  resource: Resource,
  { namespace, name }: { namespace?: string | undefined; name?: string | undefined },
): string {
  if (resource.namespaced && !namespace && name !== undefined) {
    throw new Error(`${resource.plural} "${name}" needs a namespace`)
  }
  const scope = resource.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`
  return `${groupPath(apiVersion)}${scope}/${resource.plural}${object}`
}
