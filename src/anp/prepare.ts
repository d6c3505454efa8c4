import { counted } from '../counted.ts'
import { UserError } from '../errors.ts'
import { type Cluster, clusterRef } from '../karmada/cluster.ts'
import type { Step } from '../steps/step.ts'
import { hostNeeds, planeNeeds, requireAccess } from './access.ts'
import { chooseNodePort, gatewayAddress, type Node, type Service } from './address.ts'
import { readAgent } from './agent-flags.ts'
import { wantedOf } from './connect.ts'
import { gatewayName } from './names.ts'
import { checkAgent, checkCluster } from './preflight.ts'
import { hostPort } from './settings.ts'
import type { MemberJob, World } from './world.ts'

/** Looks at everything that could refuse, before anything is changed; fills in what `world` has to find. */
export const preflightStep = (jobs: MemberJob[]): Step<World> => ({
  title: 'Preflight',
  async run(world) {
    await preflight(world, jobs)
    const count = counted(jobs.length, 'member')
    const address = world.gateway
      ? `gateway address ${hostPort(world.gateway)}`
      : 'address comes from the load balancer'
    return { changed: false, detail: `${count}, ${address}` }
  },
})

/** Throws `UserError` when no member can be connected; those that cannot while others can are kept in `world.refused`. */
export async function preflight(world: World, jobs: MemberJob[]): Promise<void> {
  const { host, karmada, settings, signal } = world
  await requireAccess(host, hostNeeds(settings.namespace), signal)
  for (const { member } of jobs.slice(0, 1)) await requireAccess(karmada, planeNeeds(member), signal)
  await findAddress(world)
  await Promise.all(
    jobs.map(async job => {
      try {
        await checkMember(world, job)
      } catch (error) {
        if (!(error instanceof UserError)) throw error
        world.refused.set(job.member, error)
      }
    }),
  )
  const [first] = world.refused.values()
  if (first && world.refused.size === jobs.length) throw jobs.length === 1 ? first : severalRefused(world.refused)
}

function severalRefused(refused: Map<string, Error>): UserError {
  const lines = [...refused].map(([member, { message }]) => `${member}: ${message}`)
  return new UserError(`none of these members can be connected:\n${lines.join('\n')}`)
}

async function findAddress(world: World): Promise<void> {
  const { host, settings, planeServer } = world
  const { expose, namespace, address: given } = settings
  const [nodes, services] = await Promise.all([
    host.list<Node>({ apiVersion: 'v1', kind: 'Node' }),
    host.list<Service>({ apiVersion: 'v1', kind: 'Service' }),
  ])
  world.nodePort = chooseNodePort(services, namespace)
  const service = services.find(({ metadata }) => metadata.name === gatewayName && metadata.namespace === namespace)
  world.gateway = gatewayAddress({ expose, given, nodePort: world.nodePort, nodes, planeServer, service })
  if (world.gateway || expose === 'loadbalancer') return
  throw new UserError(`no node of host ${world.hostName} is Ready and has an address that members could dial`, {
    hint: 'name what they are to dial with --address HOST[:PORT]',
  })
}

/** karmada-agent can be looked at now only where a context leads to the member; else it is, once the tunnel is there. */
async function checkMember(world: World, job: MemberJob): Promise<void> {
  const wanted = wantedOf(world, job)
  checkCluster(await world.karmada.get<Cluster>(clusterRef(job.member)), wanted, world.force)
  if (!job.client) return
  const agent = await readAgent(job.client, job.member)
  checkAgent(agent, job.member, wanted, world.force)
}
