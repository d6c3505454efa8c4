import { type Agent, type AgentFlags, findAgent, listDeployments, patchAgentFlags } from '../karmada/agent.ts'
import type { KubeClient, ObjectRef } from '../kube/types.ts'
import { previous } from './names.ts'
import type { Wanted } from './preflight.ts'

export const agentRef = ({ deployment }: Agent): ObjectRef => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  name: deployment.metadata.name,
  namespace: deployment.metadata.namespace,
})

export const readAgent = async (client: KubeClient, member: string): Promise<Agent> =>
  findAgent(await listDeployments(client), member)

/** karmada-agent's flags as the tunnel needs them; what stood there before goes into an annotation, once. Undefined: nothing to do. */
export async function connectAgent(
  client: KubeClient,
  member: string,
  wanted: Wanted,
  dryRun = false,
): Promise<Agent | undefined> {
  const agent = await readAgent(client, member)
  const flags = flagsOf(wanted)
  const kept = agent.deployment.metadata.annotations?.[previous.agentFlags] !== undefined
  if (kept && same(agent.flags, flags)) return undefined
  const old = { ...agent.flags }
  if (old['--proxy-server-address'] === wanted.proxyUrl) old['--proxy-server-address'] = undefined
  const remember = kept ? {} : { [previous.agentFlags]: JSON.stringify(old) }
  await client.jsonPatch(agentRef(agent), patchAgentFlags(agent, flags, remember), { dryRun })
  return agent
}

/** Puts back what `connectAgent` found. Undefined when it was never changed. */
export async function restoreAgent(client: KubeClient, member: string, dryRun = false): Promise<Agent | undefined> {
  const agent = await readAgent(client, member)
  const kept = agent.deployment.metadata.annotations?.[previous.agentFlags]
  if (kept === undefined) return undefined
  const old = JSON.parse(kept) as Partial<AgentFlags>
  const flags: AgentFlags = {
    '--cluster-api-endpoint': old['--cluster-api-endpoint'],
    '--proxy-server-address': old['--proxy-server-address'],
  }
  await client.jsonPatch(agentRef(agent), patchAgentFlags(agent, flags, { [previous.agentFlags]: undefined }), {
    dryRun,
  })
  return agent
}

const flagsOf = ({ apiEndpoint, proxyUrl }: Wanted): AgentFlags => ({
  '--cluster-api-endpoint': apiEndpoint,
  '--proxy-server-address': proxyUrl,
})

const same = (a: AgentFlags, b: AgentFlags): boolean =>
  a['--cluster-api-endpoint'] === b['--cluster-api-endpoint'] &&
  a['--proxy-server-address'] === b['--proxy-server-address']
