import { counted } from '../../counted.ts'
import { UserError } from '../../errors.ts'
import { planned } from '../../steps/objects.ts'
import type { Progress, Step, StepResult } from '../../steps/step.ts'
import { type ClusterFacts, type NodeFacts, readFacts } from '../up/facts.ts'
import { few } from '../up/objections.ts'
import { settledFacts } from '../up/settled.ts'
import { agentsReady } from '../wait.ts'
import type { Installation, VipWorld } from '../world.ts'
import { type RepointJob, targetNow, where } from './job.ts'
import type { Target } from './kubeconfig.ts'
import { changeAll, judgeBack, judgeMove, lookAtAll, type Seen } from './kubelets.ts'
import { kubeletPod } from './pod.ts'
import { type Client, serverOf } from './target.ts'

export const kubeletStep = (job: RepointJob): Step<VipWorld> => {
  const nodesOf = ({ nodes }: ClusterFacts) => nodes.filter(node => isMeant(node, job.repoint))
  return {
    title: 'kubelets moved',
    async objects(world) {
      const facts = await readFacts(world.client, job.asked.nodes, world)
      const target = await targetNow(job, facts)
      const pods = nodesOf(facts).map(({ name }) =>
        kubeletPod({ ...job, do: 'move', node: name, target }, world.timeoutMs),
      )
      return planned(where(world), pods)
    },
    async run(world, progress): Promise<StepResult> {
      const facts = await settledFacts(world, job.asked.nodes, progress)
      const target = await targetNow(job, facts)
      const nodes = nodesOf(facts)
      const ready = nodes.filter(node => node.ready).map(({ name }) => name)
      await agentsReady(world, job.settings, ready, progress)
      const seen = await lookAtAll(world, ready, { ...job, target }, progress)
      const failed = seen.flatMap(({ node, error }) => (error === undefined ? [] : [`${node}: ${error}`]))
      if (failed.length > 0 && !world.force)
        throw new UserError(`these kubelets could not be looked at: ${few(failed)}`, {
          hint: 'mend that and run the same command again, or leave them as they are with --force',
        })
      const wanted = seen.filter(each => judgeMove(each, target).do === 'move')
      const left = leftAlone(seen, each => judgeMove(each, target))
      const changed = await changeAll(world, 'move', wanted, { ...job, target }, progress)
      const away = nodes.length - ready.length
      const parts = [`${ready.length - left.length} of ${counted(nodes.length, 'node')} by ${target.server}`]
      if (left.length > 0) parts.push(`left alone: ${few(left)}`)
      if (away > 0) parts.push(`${away} not Ready`)
      return { changed: changed > 0, detail: parts.join('; ') }
    },
  }
}

/** A control plane's own kubelet starts its API server: it should not need the others for that, nor wait for one of another version. */
const isMeant = ({ controlPlane }: NodeFacts, repoint: readonly Client[]): boolean =>
  repoint.includes(controlPlane ? 'control-plane-kubelet' : 'kubelet')

const leftAlone = (seen: readonly Seen[], judge: (seen: Seen) => ReturnType<typeof judgeMove>): string[] =>
  seen.flatMap(each => {
    const verdict = judge(each)
    return verdict.do === 'leave' ? [`${each.node}: ${verdict.why}`] : []
  })

/** `asked`: is told the names of the nodes that could be asked. */
export const kubeletsBackStep = (found: Installation, asked: Set<string>): Step<VipWorld> => ({
  title: 'kubelets as before',
  async run(world, progress): Promise<StepResult> {
    const { nodes } = await settledFacts(world, [], progress)
    for (const { name, ready } of nodes) if (ready) asked.add(name)
    const changed = await kubeletsBack(world, found, nodes, progress)
    return { changed: changed > 0, detail: changed > 0 ? counted(changed, 'node') : 'none was moved' }
  },
})

/**
 * Gives the kubelets of these nodes, before the virtual IP goes from there, the API server that they had before it. Answers how many had to.
 * Throws `UserError` where one would lose its API server.
 */
export async function kubeletsBack(
  world: VipWorld,
  { settings, asked }: Pick<Installation, 'settings' | 'asked'>,
  nodes: readonly NodeFacts[],
  progress: Progress,
): Promise<number> {
  const target: Target = { server: serverOf(settings) }
  // Who is not Ready is not asked; that nothing can be done there is said where the rules are to go.
  const ready = nodes.filter(node => node.ready).map(({ name }) => name)
  const seen = await lookAtAll(world, ready, { asked, target }, progress)
  const left = leftAlone(seen, each => judgeBack(each, target))
  if (left.length > 0 && !world.force)
    throw new UserError(`these kubelets would lose their API servers: ${few(left)}`, {
      hint: 'give each another server in its kubeconfig, restart it, and run the same command again; or --force',
    })
  const moved = seen.filter(each => judgeBack(each, target).do === 'back')
  return changeAll(world, 'back', moved, { asked, target }, progress)
}
