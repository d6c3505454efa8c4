/**
 * Resources that kube-apiserver files under their bare name. Everything else it files under `group/resource`, and a group has a dot.
 * Some names are older than the resource's own: nodes are `minions`, replication controllers `controllers`.
 */
const bareResources = new Set(
  `clusterrolebindings clusterroles configmaps controllerrevisions controllers cronjobs csidrivers csinodes csistoragecapacities
  certificatesigningrequests daemonsets deployments deviceclasses endpointslices events flowschemas horizontalpodautoscalers ingress
  ingressclasses ipaddresses jobs leasecandidates leases limitranges masterleases minions mutatingadmissionpolicies
  mutatingadmissionpolicybindings mutatingwebhookconfigurations namespaces networkpolicies peerserverleases persistentvolumeclaims
  persistentvolumes poddisruptionbudgets pods podtemplates priorityclasses prioritylevelconfigurations ranges replicasets resourceclaims
  resourceclaimtemplates resourcequotas resourceslices rolebindings roles runtimeclasses secrets serviceaccounts servicecidrs services
  statefulsets storageclasses validatingadmissionpolicies validatingadmissionpolicybindings validatingwebhookconfigurations
  volumeattachments volumeattributesclasses`.split(/\s+/),
)

/** Below these the next word says more: `services/specs` and `services/endpoints` are different resources. */
const deeper = new Set(['services'])

/**
 * The kind of thing that a key belongs to: up to and with the resource of a Kubernetes API (`/registry/configmaps`,
 * `/registry/karmada/work.karmada.io/works`), else its first two words. Pure.
 */
export function groupOf(key: string): string {
  const words = key.split('/')
  for (const [index, word] of words.entries()) {
    if (index === 0 && word !== '') break
    if (bareResources.has(word)) return upTo(words, deeper.has(word) ? index + 1 : index)
    if (!word.includes('.') || index === words.length - 1) continue
    // A dot may as well be in the prefix itself (`/site-a.example/configmaps`): then what follows is clearer still.
    const next = words[index + 1] ?? ''
    if (!bareResources.has(next) && !next.includes('.')) return upTo(words, index + 1)
  }
  return words[0] === '' ? upTo(words, Math.min(2, words.length - 2)) : (words[0] ?? '')
}

const upTo = (words: string[], index: number): string => words.slice(0, Math.max(index, 1) + 1).join('/')

/** For a list below `prefix` (without a slash at its end): the key's group, or where that says nothing new, one word further. */
export function groupBelow(prefix: string, key: string): string {
  const group = groupOf(key)
  if (group.length > prefix.length) return group
  const slash = key.indexOf('/', prefix.length + 1)
  return slash < 0 ? key : key.slice(0, slash)
}

/** The prefix of a kube-apiserver that every one of them leaves traces of: the namespaces that it creates itself. */
export function rootOf(key: string): string | undefined {
  const [, root] = /^(.*)\/namespaces\/(?:default|kube-system)$/.exec(key) ?? []
  if (root === undefined) return undefined
  // An object called "default" in a namespace called "namespaces".
  return bareResources.has(root.slice(root.lastIndexOf('/') + 1)) ? undefined : root
}

/** A Karmada before its first member has this all the same: its CRDs are the first that it writes. */
const karmadaMarker = /^(.*)\/apiextensions\.k8s\.io\/customresourcedefinitions\/resourcebindings\.work\.karmada\.io$/

export const karmadaRootOf = (key: string): string | undefined => karmadaMarker.exec(key)?.[1]
