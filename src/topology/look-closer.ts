import type { V1NodeStatus } from '@kubernetes/client-node'
import type { KubeClient, KubeObject, Wire } from '../kube/types.ts'
import { type Asker, createAsker } from './ask.ts'
import { fingerprintsOf } from './certificates.ts'
import { classify } from './classify.ts'
import { endpointOf, serves } from './evidence.ts'
import { endpoint } from './installation.ts'
import { type ApiService, aggregatedApiService } from './probe-plane.ts'
import type { Fleet, FleetPlane, Installation, Probe } from './types.ts'

interface Secret extends KubeObject {
  data?: Record<string, string>
}
interface Node extends KubeObject {
  status?: Wire<V1NodeStatus>
}

export interface LookOptions {
  clientOf: (context: string) => KubeClient
  /** The kubeconfig's CA of a context, in base64 of PEM; empty where it has none. */
  authorityOf: (context: string) => Promise<string>
  timeoutMs?: number | undefined
  signal?: AbortSignal | undefined
}

/**
 * Compares certificates and node addresses, which costs more requests and rights, where nothing yet proved a plane's host.
 * Answers the fleet as it is when there is nothing to compare.
 */
export async function lookCloser(fleet: Fleet, options: LookOptions): Promise<Fleet> {
  const homeless = fleet.planes.filter(({ hosts }) => hosts.length === 0)
  const servers = homeless.flatMap(plane => serversOf(plane, fleet.probes))
  const isCandidate = (installation: Installation) =>
    homeless.some(
      plane => serves(installation, { servers: serversOf(plane, fleet.probes), facts: plane.facts }) === 'unknown',
    )
  if (!fleet.probes.some(({ installations }) => installations.some(isCandidate))) return fleet

  const planeContexts = new Set(homeless.map(({ contexts }) => contexts[0]))
  const probes = fleet.probes.map(async (probe): Promise<Probe> => {
    const asker = createAsker(options.timeoutMs ?? 5000, options.signal ?? new AbortController().signal)
    const client = () => options.clientOf(probe.context)
    if (probe.plane !== undefined && planeContexts.has(probe.context)) {
      const own = [await options.authorityOf(probe.context), await caBundle(client(), asker)]
      return { ...probe, plane: { ...probe.plane, fingerprints: own.flatMap(fingerprintsOf) } }
    }
    const installations = probe.installations.map(installation =>
      isCandidate(installation) ? withProofs(installation, client(), asker, servers) : installation,
    )
    return { ...probe, installations: await Promise.all(installations) }
  })
  return classify(await Promise.all(probes))
}

const serversOf = ({ contexts }: FleetPlane, probes: Probe[]): string[] =>
  probes.filter(({ context }) => contexts.includes(context)).map(({ server }) => server)

async function caBundle(client: KubeClient, asker: Asker): Promise<string> {
  const service = await asker.ask('details', 'read the APIService of clusters', options =>
    client.find<ApiService>(aggregatedApiService, options),
  )
  return service?.spec.caBundle ?? ''
}

async function withProofs(
  installation: Installation,
  client: KubeClient,
  asker: Asker,
  servers: string[],
): Promise<Installation> {
  const { namespace, certificateSecrets, nodePorts } = installation
  const secrets = certificateSecrets.map(name =>
    asker.ask('details', `read secret ${namespace}/${name}`, options =>
      client.find<Secret>({ apiVersion: 'v1', kind: 'Secret', namespace, name }, options),
    ),
  )
  const ports = nodePorts.filter(port => servers.some(server => endpointOf(server).endsWith(`:${port}`)))
  const nodes =
    ports.length === 0
      ? []
      : await asker.ask('details', 'list nodes', options =>
          client.list<Node>({ apiVersion: 'v1', kind: 'Node' }, options),
        )
  const addresses = (nodes ?? []).flatMap(({ status }) => (status?.addresses ?? []).map(({ address }) => address))
  const prints = (await Promise.all(secrets))
    .flatMap(secret => Object.values(publicParts(secret)))
    .flatMap(fingerprintsOf)
  return {
    ...installation,
    endpoints: [...installation.endpoints, ...addresses.flatMap(address => ports.map(port => endpoint(address, port)))],
    fingerprints: prints,
  }
}

/** Keys are let go unread. */
const publicParts = (secret: Secret | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(secret?.data ?? {}).filter(([key]) => key.endsWith('.crt')))
