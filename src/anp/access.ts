import { UserError } from '../errors.ts'
import { executionNamespace } from '../karmada/work.ts'
import type { KubeClient, KubeObject } from '../kube/types.ts'

/** One thing that the user must be allowed to do. */
export interface Need {
  verb: string
  group: string
  resource: string
  subresource?: string
  namespace?: string
}

interface AccessReview extends KubeObject {
  spec: { resourceAttributes: Need }
  status?: { allowed: boolean }
}

const each = (group: string, resources: string[], verbs: string[], namespace?: string): Need[] =>
  resources.flatMap(resource => verbs.map(verb => ({ verb, group, resource, ...(namespace ? { namespace } : {}) })))

const change = ['get', 'list', 'create', 'patch', 'delete']

/** What `anp up` and `anp down` do on the host cluster. */
export const hostNeeds = (namespace: string): Need[] => [
  ...each('', ['nodes', 'services'], ['list']),
  ...each('', ['secrets', 'configmaps', 'services'], change, namespace),
  ...each('apps', ['deployments'], [...change, 'watch'], namespace),
  ...each('policy', ['poddisruptionbudgets'], change, namespace),
  ...each('networking.k8s.io', ['networkpolicies'], change, namespace),
  ...each('', ['pods'], ['list'], namespace),
  { verb: 'create', group: '', resource: 'pods', subresource: 'portforward', namespace },
]

/** And on the control plane, for one member. */
export const planeNeeds = (member: string): Need[] => [
  ...each('cluster.karmada.io', ['clusters'], ['get', 'list', 'watch', 'patch']),
  { verb: '*', group: 'cluster.karmada.io', resource: 'clusters', subresource: 'proxy' },
  ...each('work.karmada.io', ['works'], [...change, 'watch'], executionNamespace(member)),
  ...each('', ['secrets'], ['get'], 'karmada-cluster'),
]

/** Asks the server about all of them at once. Throws `UserError` naming the first verb and resource that is refused. */
export async function requireAccess(client: KubeClient, needs: Need[], signal: AbortSignal): Promise<void> {
  const answers = await Promise.all(needs.map(async need => ({ need, allowed: await isAllowed(client, need, signal) })))
  const refused = answers.filter(({ allowed }) => !allowed).map(({ need }) => need)
  const [first] = refused
  if (!first) return
  const more = refused.length > 1 ? ` (and ${refused.length - 1} more)` : ''
  throw new UserError(`you may not ${describe(first)} in context ${client.context}${more}`, {
    hint: `ask for these rights there: ${[...new Set(refused.map(brief))].join(', ')}`,
  })
}

async function isAllowed(client: KubeClient, need: Need, signal: AbortSignal): Promise<boolean> {
  const review: AccessReview = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    // The kind has no name; the server ignores it.
    metadata: { name: '' },
    spec: { resourceAttributes: need },
  }
  const { status } = await client.create(review, { signal })
  return status?.allowed ?? false
}

const resourceOf = ({ group, resource, subresource }: Need): string =>
  `${resource}${group ? `.${group}` : ''}${subresource ? `/${subresource}` : ''}`

const describe = (need: Need): string =>
  `${need.verb} ${resourceOf(need)}${need.namespace ? ` in namespace ${need.namespace}` : ''}`

const brief = (need: Need): string => `${need.verb} ${resourceOf(need)}`
