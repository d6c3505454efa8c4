import { counted } from '../counted.ts'
import type { KubeObject } from '../kube/types.ts'
import { bare, deleteAll, planned } from '../steps/objects.ts'
import type { Step, StepResult } from '../steps/step.ts'
import { cleanNodes, notClean, podFor, untilNoAgents } from './clean.ts'
import { includeStep } from './kube-proxy/steps.ts'
import { isOurs, refs } from './names.ts'
import { vipObjects } from './objects.ts'
import { kubeletsBack } from './repoint/kubelet-steps.ts'
import { backSteps } from './repoint/steps.ts'
import { type ClusterFacts, readFacts } from './up/facts.ts'
import { few } from './up/objections.ts'
import { settledFacts } from './up/settled.ts'
import { setStage } from './up/stages.ts'
import type { Installation, VipWorld } from './world.ts'

/** Clients first; then the agents, as they would put back what goes next; what says where the virtual IP was goes last. */
export function downSteps(found: Installation): Step<VipWorld>[] {
  const asked = new Set<string>()
  return [
    ...backSteps(found, asked),
    agentsGoneStep(found),
    nodesCleanStep(found, asked),
    includeStep,
    objectsGoneStep(found),
  ]
}

const where = ({ client }: VipWorld): string => `cluster ${client.context}, to be deleted`

const agentsGoneStep = (found: Installation): Step<VipWorld> => {
  const objects = ({ client, signal }: VipWorld) => ownOnes(client, [refs.daemonSet], signal)
  return {
    title: 'Agents removed',
    objects: async world => planned(where(world), (await objects(world)).map(bare)),
    dryRun: async world => deleteAll(world.client, await objects(world), true),
    async run(world, progress) {
      const { changed } = await deleteAll(world.client, await objects(world))
      // On a node that is not heard of nobody can end it; there it puts nothing back either, as its settings are gone.
      const { nodes } = await readFacts(world.client, found.asked.nodes, world)
      const dead = new Set(nodes.filter(({ ready }) => !ready).map(({ name }) => name))
      await untilNoAgents(world, node => !dead.has(node), progress)
      return { changed }
    },
  }
}

const nodesCleanStep = (found: Installation, asked: ReadonlySet<string>): Step<VipWorld> => ({
  title: 'Rules, route, files and sysctls',
  objects: async world =>
    planned(
      `cluster ${world.client.context}`,
      (await readFacts(world.client, [], world)).nodes.map(({ name }) => podFor(found, name)),
    ),
  async run(world, progress) {
    // All of them: one may have left the selection since, and where there is nothing, nothing is done.
    const facts = await settledFacts(world, [], progress)
    // Whose node was not Ready when kubelets went back to their API servers would lose the one that it has.
    const late = facts.nodes.filter(({ name }) => !asked.has(name))
    await kubeletsBack(world, found, late, progress)
    const ready = facts.nodes.filter(node => node.ready).map(({ name }) => name)
    const failures = await cleanNodes(world, found, ready, progress)
    const away = facts.nodes.filter(node => !node.ready).map(({ name }) => `${name}: it is not Ready`)
    const left = [...failures, ...away]
    const labelled = facts.nodes.filter(({ stage }) => stage !== undefined).map(({ name }) => name)
    await setStage(world.client, labelled, undefined, world.signal)
    if (left.length > 0 && !world.force) throw notClean(left)
    return { changed: true, detail: cleanText(facts, left) }
  },
})

const cleanText = ({ nodes }: ClusterFacts, left: readonly string[]): string =>
  left.length === 0 ? `nothing is left on ${counted(nodes.length, 'node')}` : `left as they are: ${few(left)}`

const objectsGoneStep = (found: Installation): Step<VipWorld> => {
  const objects = ({ client, signal }: VipWorld) => ownOnes(client, leaving(found), signal)
  return {
    title: 'Settings and permissions removed',
    objects: async world => planned(where(world), (await objects(world)).map(bare)),
    dryRun: async world => deleteAll(world.client, await objects(world), true),
    run: async (world): Promise<StepResult> => deleteAll(world.client, await objects(world)),
  }
}

/** The settings last: while they are there, `vip down` knows what to go on with. */
function leaving({ settings, asked }: Installation) {
  const objects = vipObjects({ settings, asked }).filter(({ kind }) => kind !== 'DaemonSet')
  const last = ({ kind }: KubeObject) => (kind === 'ConfigMap' ? 1 : 0)
  return objects
    .toSorted((a, b) => last(a) - last(b))
    .map(({ apiVersion, kind, metadata: { name, namespace } }) => ({ apiVersion, kind, name, namespace }))
}

/** Those that are there and carry our label. */
async function ownOnes(
  client: VipWorld['client'],
  wanted: readonly { apiVersion: string; kind: string; name: string; namespace?: string | undefined }[],
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const there = await Promise.all(wanted.map(ref => client.find<KubeObject>(ref, { signal })))
  return there.filter(object => object !== undefined && isOurs(object)) as KubeObject[]
}
