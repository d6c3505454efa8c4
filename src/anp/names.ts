/**
 * Names of everything that `anp` makes. The kind comes first: with the member first, the Service of a member "x-agents"
 * would meet that of member "x". Karmada allows 48 characters for a member's name, so all of these fit into 63.
 */
export const gatewayName = 'anp-gateway'
export const serverName = (member: string): string => `anp-server-${member}`
/** Secret with the member's certificate authority and the agent's pair; no pod mounts it. */
export const authorityName = (member: string): string => `anp-authority-${member}`
/** In the member. */
export const agentName = 'anp-agent'
/** The Work that brings the agent to the member. */
export const workName = 'karmada-net-anp'

export const connectPort = 8088
export const agentsPort = 8091
export const healthPort = 8092

export const managedBy = { 'app.kubernetes.io/managed-by': 'kubectl-karmada-net' }

export const labels = (component: string, instance: string): Record<string, string> => ({
  ...managedBy,
  'app.kubernetes.io/part-of': 'karmada-net',
  'app.kubernetes.io/component': component,
  'app.kubernetes.io/instance': instance,
})

/** What Karmada is to dial: resolvable from every pod of the host cluster. */
export const proxyUrl = (member: string, namespace: string): string =>
  `http://${serverName(member)}.${namespace}.svc:${connectPort}`

/** Annotations that keep what `down` restores; a value that was absent is kept as the empty string. */
export const previous = {
  apiEndpoint: 'karmada-net.io/anp-previous-api-endpoint',
  proxyUrl: 'karmada-net.io/anp-previous-proxy-url',
  /** JSON of karmada-agent's two flags. */
  agentFlags: 'karmada-net.io/anp-previous-agent-flags',
} as const

/** The configuration that a pod was started with; a change of it rolls the pods. */
export const configHash = 'karmada-net.io/config-hash'
