import { UserError } from '../../errors.ts'
import { inParallel } from '../../in-parallel.ts'
import type { Progress } from '../../steps/step.ts'
import type { Asked } from '../objects.ts'
import type { VipWorld } from '../world.ts'
import type { KubeletNews } from './command.ts'
import { sameTarget, type Target } from './kubeconfig.ts'
import { change, lookAt } from './pod.ts'
import { isLocal } from './target.ts'

/** Nodes that are looked at at the same time. */
const atOnce = 20

/** A node's kubelet, or why it could not be looked at. */
export type Seen = { node: string } & ({ news: KubeletNews; error?: undefined } | { news?: undefined; error: string })

export interface KubeletsJob {
  asked: Asked
  target: Target
}

/** Where these nodes' kubelets find their API servers, in the order of the names. Throws only for the signal. */
export async function lookAtAll(
  world: VipWorld,
  nodes: readonly string[],
  { asked, target }: KubeletsJob,
  progress: Progress,
): Promise<Seen[]> {
  const seen: Seen[] = []
  await inParallel(nodes, atOnce, async node => {
    seen.push(await look(world, node, asked, target))
    progress(`${seen.length} of ${nodes.length} nodes looked at`)
  })
  return seen.toSorted((a, b) => a.node.localeCompare(b.node))
}

async function look(world: VipWorld, node: string, asked: Asked, target: Target): Promise<Seen> {
  try {
    return { node, news: await lookAt(world, { node, asked, target }) }
  } catch (error) {
    if (world.signal.aborted || !(error instanceof UserError)) throw error
    return { node, error: error.message }
  }
}

/** What is to be done about a kubelet. */
export type Verdict = { do: 'move' | 'back' | 'nothing' } | { do: 'leave'; why: string }

/** On the way to the virtual IP. Pure. */
export function judgeMove({ news, error }: Seen, target: Target): Verdict {
  if (error !== undefined) return { do: 'leave', why: error }
  if (news.file === undefined) return { do: 'leave', why: 'no kubelet with a kubeconfig is to be seen' }
  if (news.target === undefined) return { do: 'leave', why: `${news.file} cannot be read` }
  if (sameTarget(news.target, target) && !news.unread) return { do: 'nothing' }
  if (isLocal(news.target.server)) return { do: 'leave', why: `it has a proxy of its own, ${news.target.server}` }
  return { do: 'move' }
}

/** On the way back. Pure. */
export function judgeBack({ news, error }: Seen, { server }: Target): Verdict {
  if (error !== undefined) return { do: 'leave', why: error }
  if (news.moved) return { do: 'back' }
  if (news.target?.server === server)
    return { do: 'leave', why: `${news.file} leads to ${server}, and it was not "vip up" that wrote it` }
  return { do: 'nothing' }
}

/** One after the other: each is ready again by its new API server before the next loses its old one. Throws `UserError`. */
export async function changeAll(
  world: VipWorld,
  wish: 'move' | 'back',
  seen: readonly Seen[],
  job: KubeletsJob,
  progress: Progress,
): Promise<number> {
  let changed = 0
  for (const [index, { node, news }] of seen.entries()) {
    world.signal.throwIfAborted()
    const say = (what: string) => progress(`${node} (${index + 1} of ${seen.length}): ${what}`)
    say('restarting kubelet')
    try {
      if (await change(world, { ...job, do: wish, node, file: news?.file }, say)) changed++
    } catch (error) {
      if (world.signal.aborted || !(error instanceof UserError)) throw error
      throw new UserError(`${node}: ${error.message}`, {
        hint: `on the node: journalctl -u kubelet; ${index} of ${seen.length} before it are done, and the same command goes on`,
        cause: error,
      })
    }
  }
  return changed
}
