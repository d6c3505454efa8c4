import { counted } from '../../counted.ts'
import { UserError } from '../../errors.ts'
import { pause } from '../../kube/pause.ts'
import { planned } from '../../steps/objects.ts'
import type { Progress, Step } from '../../steps/step.ts'
import { refs } from '../names.ts'
import type { ConfigMap } from '../objects.ts'
import { agentPods, askAgents, type NodeNews } from '../reports.ts'
import { readFacts } from '../up/facts.ts'
import { few } from '../up/objections.ts'
import type { Installation, VipWorld } from '../world.ts'
import { withWish, writeSettings } from '../write-settings.ts'
import { connectionsOf, leftWithout, outcome, todo, type Wish } from './judge.ts'

export interface DrainJob {
  /** `host:port` */
  address: string
  found: Installation
  /** How long open connections are waited for. Milliseconds. */
  connectionsMs: number
  /** Some left after that are a failure. */
  mustEnd: boolean
}

const everyMs = 300

export const drainSteps = (job: DrainJob): Step<VipWorld>[] => [
  othersStep(job),
  settingsStep(job, 'drained'),
  nodesStep(job, 'drained'),
  connectionsStep(job),
]

export const undrainSteps = (job: Pick<DrainJob, 'address' | 'found'>): Step<VipWorld>[] => [
  settingsStep(job, 'back'),
  nodesStep(job, 'back'),
]

type Job = Pick<DrainJob, 'address' | 'found'>

/** Whoever is drained last keeps its connections after all, which is not what was asked for. */
const othersStep = ({ address, found }: Job): Step<VipWorld> => {
  const guard = async (world: VipWorld): Promise<number> => {
    const news = await heard(world, found)
    const without = leftWithout(news, address)
    if (without.length > 0 && !world.force) {
      throw new UserError(`${address} is the last API server that is up for ${few(without)}`, {
        hint: 'kubectl karmada-net vip status says what the others lack; --force drains it, and it goes on while it is the only one',
      })
    }
    return news.filter(({ report }) => report).length - without.length
  }
  return {
    title: 'Another API server is up',
    guard: async world => void (await guard(world)),
    dryRun: async world => ({ changed: false, detail: onNodes(await guard(world)) }),
    run: async world => ({ changed: false, detail: onNodes(await guard(world)) }),
  }
}

const settingsStep = ({ address, found }: Job, wish: Wish): Step<VipWorld> => {
  const result = (changed: boolean) => ({ changed, detail: changed ? address : 'so already' })
  return {
    title: wish === 'drained' ? 'Settings: drained' : 'Settings: not drained any more',
    async objects({ client, signal }) {
      const config = await client.get<ConfigMap>(refs.config, { signal })
      const wanted = withWish(address, wish)(config)
      return wanted ? planned(`cluster ${client.context}, as ${found.settings.vip} has it`, [wanted]) : []
    },
    dryRun: async world => result(await writeSettings(world, withWish(address, wish), true)),
    run: async world => result(await writeSettings(world, withWish(address, wish))),
  }
}

const nodesStep = ({ address, found }: Job, wish: Wish): Step<VipWorld> => ({
  title: wish === 'drained' ? 'No new connections' : 'New connections again',
  dryRun: async () => ({ changed: false, detail: 'not tried: the settings were not written' }),
  async run(world, progress) {
    const { news, away } = await untilDone(world, found, address, wish, progress)
    const rest = away.length === 0 ? '' : `; not Ready, and told when they are: ${few(away)}`
    const done = wish === 'drained' ? onNodes(news.length) : outcome(news, address)
    return { changed: false, detail: `${done}${rest}` }
  },
})

const onNodes = (count: number): string => `on ${counted(count, 'node')}`

/** Asks until every node that is Ready has heard of it. Throws `UserError` with who has not. */
async function untilDone(
  world: VipWorld,
  found: Installation,
  address: string,
  wish: Wish,
  progress: Progress,
): Promise<Asked> {
  const end = performance.now() + world.timeoutMs
  for (;;) {
    const asked = await ask(world, found)
    const open = asked.news.flatMap(each => {
      const what = todo(each, address, wish, world.force)
      return what === undefined ? [] : [`${each.node}: ${what}`]
    })
    if (open.length === 0) return asked
    if (performance.now() > end) {
      throw new UserError(`after ${Math.round(world.timeoutMs / 1000)}s not on every node: ${few(open, 3)}`, {
        hint: 'run the same command again to go on waiting; kubectl karmada-net vip status shows every node',
      })
    }
    progress(few(open, 1))
    await pause(everyMs, world.signal)
  }
}

const connectionsStep = ({ address, found, connectionsMs, mustEnd }: DrainJob): Step<VipWorld> => ({
  title: 'Open connections',
  dryRun: async () => ({ changed: false, detail: 'not tried: nothing was drained' }),
  async run(world, progress) {
    const end = performance.now() + connectionsMs
    for (;;) {
      const { news } = await ask(world, found)
      const open = connectionsOf(news, address)
      if (open.length === 0) return { changed: false, detail: 'none is left' }
      const all = open.reduce((sum, { active }) => sum + active, 0)
      const text = `${all} left: ${few(open.map(({ node, active }) => `${node} ${active}`))}`
      if (performance.now() >= end) {
        if (!mustEnd) return { changed: false, detail: `${text}; they end with the API server` }
        throw new UserError(`after ${Math.round(connectionsMs / 1000)}s ${text}`, {
          hint: 'clients keep theirs until the API server closes them: stop it gracefully, or go on without waiting',
        })
      }
      progress(text)
      await pause(everyMs, world.signal)
    }
  },
})

/** An agent that is busy is asked again. Throws `UserError` where none of them says anything. */
async function heard(world: VipWorld, found: Installation): Promise<NodeNews[]> {
  for (let left = 2; ; left--) {
    const { news, away } = await ask(world, found)
    if (world.force || news.some(({ report }) => report)) return news
    if (left > 0) continue
    const silent = [
      ...news.map(({ node, error }) => `${node}: ${error}`),
      ...away.map(node => `${node}: it is not Ready`),
    ]
    throw new UserError(`no node says which API servers are up: ${few(silent, 3)}`, {
      hint: 'kubectl karmada-net vip status; --force drains it all the same',
    })
  }
}

interface Asked {
  /** Of every node that is Ready. */
  news: NodeNews[]
  /** Nodes that are not Ready: nobody can ask there. */
  away: string[]
}

async function ask({ client, signal }: VipWorld, { settings, asked }: Installation): Promise<Asked> {
  const [{ nodes }, pods] = await Promise.all([readFacts(client, asked.nodes, { signal }), agentPods(client, signal)])
  const ours = nodes.filter(({ stage }) => stage === undefined)
  const ready = ours.filter(node => node.ready).map(({ name }) => name)
  const told = await askAgents(client, pods, settings.statusPort, signal)
  const news = ready.map(
    (node): NodeNews => told.find(each => each.node === node) ?? { node, pod: '', error: 'has no agent yet' },
  )
  return { news, away: ours.filter(node => !node.ready).map(({ name }) => name) }
}
