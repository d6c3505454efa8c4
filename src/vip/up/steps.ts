import { isDeepStrictEqual } from 'node:util'
import { counted } from '../../counted.ts'
import { UserError } from '../../errors.ts'
import type { KubeObject } from '../../kube/types.ts'
import { applyAll, planned } from '../../steps/objects.ts'
import type { Step } from '../../steps/step.ts'
import { formatEndpoint, parseEndpoint } from '../address.ts'
import { nodesStep } from '../check/step.ts'
import { unreached } from '../judge.ts'
import { excludeStep } from '../kube-proxy/steps.ts'
import { type Asked, vipObjects } from '../objects.ts'
import { kubeletsBack } from '../repoint/kubelet-steps.ts'
import { movableSteps, repointSteps } from '../repoint/steps.ts'
import type { Client } from '../repoint/target.ts'
import type { NodeNews } from '../reports.ts'
import type { VipSettings } from '../settings.ts'
import { agentsReady } from '../wait.ts'
import type { Installation, VipWorld } from '../world.ts'
import { withSettings, writeSettings } from '../write-settings.ts'
import { certificatesStep } from './certificates-step.ts'
import { type ClusterFacts, readFacts } from './facts.ts'
import { few, objections, refusal } from './objections.ts'
import { beginStages, inBatches, type Stages, setStage, takeOff } from './stages.ts'

/** What `vip up` is to make true, and what it finds. */
export interface UpJob {
  settings: VipSettings
  asked: Asked
  /** What was there before. */
  found: Installation | undefined
  /** The name that clients will check, where it is not the virtual IP; said on the command line. */
  otherName: boolean
  /** Clients to move to it. */
  repoint: readonly Client[]
  /** Of the preflight. */
  facts?: ClusterFacts
  /** Of the first node's step. */
  stages?: Stages
}

export const upSteps = (job: UpJob): Step<VipWorld>[] => [
  preflightStep(job),
  ...movableSteps(job),
  nodesStep(job),
  certificatesStep(job),
  permissionsStep(job),
  excludeStep(job),
  firstStep(job),
  everywhereStep(job),
  ...repointSteps(job),
]

/** Looks, and changes nothing. Throws `UserError` with everything that stands in the way. */
export async function preflight(job: UpJob, { client, signal, force }: VipWorld, dryRun = true): Promise<ClusterFacts> {
  const { settings, asked, found } = job
  const facts = await readFacts(client, asked.nodes, { signal })
  const named = settings.staticServers.map(parseEndpoint).filter(server => server !== undefined)
  facts.apiServers.push(...named.filter(server => !facts.apiServers.some(each => isDeepStrictEqual(each, server))))
  if (facts.nodes.length === 0)
    throw new UserError('there is no such node', { hint: 'kubectl get nodes --show-labels' })
  const met = objections(settings, facts, found ? [] : unseen(facts, dryRun))
  if (met.length > 0 && !force) throw refusal(met)
  job.facts = facts
  return facts
}

/** Addresses of nodes that are not looked at by a pod of their own. */
function unseen({ nodeAddresses, nodes }: ClusterFacts, dryRun: boolean): string[] {
  const seen = new Set(nodes.flatMap(({ ready, addresses }) => (ready ? addresses : [])))
  return dryRun ? nodeAddresses : nodeAddresses.filter(address => !seen.has(address))
}

const preflightStep = (job: UpJob): Step<VipWorld> => ({
  title: 'Preflight',
  async run(world) {
    const { nodes, apiServers } = await preflight(job, world, false)
    return { changed: false, detail: `${counted(nodes.length, 'node')}, ${counted(apiServers.length, 'API server')}` }
  },
  dryRun: async world => ({ changed: false, detail: counted((await preflight(job, world)).nodes.length, 'node') }),
})

const isAgent = ({ kind }: KubeObject): boolean => kind === 'DaemonSet'
const where = ({ client }: VipWorld): string => `cluster ${client.context}`

const permissionsStep = (job: UpJob): Step<VipWorld> => {
  const objects = () => vipObjects(job).filter(object => !isAgent(object))
  const apply = async (world: VipWorld, dryRun: boolean) => {
    const others = objects().filter(({ kind }) => kind !== 'ConfigMap')
    const { changed } = await applyAll(world.client, others, world, dryRun)
    return (await writeSettings(world, withSettings(job), dryRun)) || changed
  }
  return {
    title: 'Settings and permissions',
    objects: world => planned(where(world), objects()),
    dryRun: async world => ({ changed: await apply(world, true) }),
    async run(world) {
      const changed = await apply(world, false)
      const { vip, port, scheduler } = job.settings
      return { changed, detail: `${formatEndpoint({ host: vip, port })}, ${scheduler}` }
    },
  }
}

/** A new installation proves itself on one node before the others have it. */
const firstStep = (job: UpJob): Step<VipWorld> => ({
  title: 'First node',
  async run(world, progress) {
    const stages = await beginStages(world, job)
    job.stages = stages
    const { first, later, labelled } = stages
    if (first === undefined && later.length + labelled.length === 0) return { changed: false, detail: 'is past' }
    await applyAll(world.client, vipObjects(job).filter(isAgent), world)
    await setStage(world.client, labelled, undefined, world.signal)
    const news = await agentsReady(world, job.settings, stages.open, progress)
    return { changed: true, detail: `${few(stages.open)}: ${serversOf(news[0])}` }
  },
})

/** Updates come to the nodes as the DaemonSet says; those that have no agent yet get it batch by batch. */
const everywhereStep = (job: UpJob): Step<VipWorld> => {
  const objects = () => vipObjects(job).filter(isAgent)
  return {
    title: 'All nodes',
    objects: world => planned(where(world), objects()),
    dryRun: world => applyAll(world.client, objects(), world, true),
    async run(world, progress) {
      const { changed } = await applyAll(world.client, objects(), world)
      const nodes = job.facts?.nodes ?? []
      const { later, leaving } = job.stages ?? { later: [], leaving: [] }
      await kubeletsBack(world, job, leaving, progress)
      const left = await takeOff(world, job, leaving, progress)
      await inBatches(world, nodes, later, batch => agentsReady(world, job.settings, batch, progress), progress)
      const ready = nodes.filter(node => node.ready).map(({ name }) => name)
      const news = await agentsReady(world, job.settings, ready, progress)
      const detail = [outcome(news, nodes.length - ready.length), left].filter(Boolean).join('; ')
      return { changed: changed || later.length + leaving.length > 0, detail }
    },
  }
}

function outcome(news: readonly NodeNews[], notReady: number): string {
  const lost = [...new Set(news.flatMap(({ report }) => (report ? unreached(report) : [])))]
  const parts = [`${counted(news.length, 'node')}: ${serversOf(news[0])}`]
  if (lost.length > 0) parts.push(`reached by none: ${few(lost)}`)
  if (notReady > 0) parts.push(`${counted(notReady, 'node')} not Ready, with it when they are`)
  return parts.join('; ')
}

function serversOf(news: NodeNews | undefined): string {
  const servers = news?.report?.servers ?? []
  return `${servers.filter(({ state }) => state === 'up').length} of ${counted(servers.length, 'API server')} up`
}
