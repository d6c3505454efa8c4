import type { Step } from '../../steps/step.ts'
import { type AgentPod, agentPods } from '../reports.ts'
import { refusal } from '../up/objections.ts'
import type { UpJob } from '../up/steps.ts'
import type { VipWorld } from '../world.ts'
import { judgeLooks, summary } from './judge.ts'
import { lookAtNodes } from './pods.ts'

/** By a pod on each, before anything is changed; nodes whose agent is fine have shown that they can. */
export const nodesStep = (job: Pick<UpJob, 'facts' | 'settings' | 'asked'>): Step<VipWorld> => ({
  title: 'Preflight on nodes',
  dryRun: async () => ({ changed: false, detail: 'not looked at: that takes a pod on each' }),
  async run({ client, signal, force }, progress) {
    const pods = await agentPods(client, signal)
    const nodes = (job.facts?.nodes ?? []).filter(({ name, ready }) => ready && !isReady(pods.get(name)))
    if (nodes.length === 0) return { changed: false, detail: 'not needed' }
    const names = nodes.map(({ name }) => name)
    const looks = await lookAtNodes(client, job, names, { signal, progress })
    const met = judgeLooks(looks, job.settings)
    if (met.length > 0 && !force) throw refusal(met)
    const overruled = met.map(({ text }) => `overruled: ${text}`)
    return { changed: false, detail: [summary(looks), ...overruled].join('; ') }
  },
})

const isReady = (pod: AgentPod | undefined): boolean =>
  pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
