import { basename } from 'node:path'
import { counted } from '../../counted.ts'
import { UserError } from '../../errors.ts'
import type { Step, StepResult } from '../../steps/step.ts'
import { formatEndpoint } from '../address.ts'
import { rewrite } from '../kept.ts'
import { kubeconfigOf } from '../kube-proxy/config.ts'
import { configRef, findKubeProxy, type KubeProxy, type ProxyConfigMap, podsOf } from '../kube-proxy/find.ts'
import { notRestarted, restartOn } from '../kube-proxy/restart.ts'
import { type ClusterFacts, readFacts } from '../up/facts.ts'
import { few } from '../up/objections.ts'
import { agentsReady } from '../wait.ts'
import type { VipWorld } from '../world.ts'
import { forget, move, moveBack, movedFrom } from './config-map.ts'
import { type RepointJob, shownIfThere, targetNow } from './job.ts'

/** Which text of kube-proxy's ConfigMap is its kubeconfig; undefined: that is a file of each node. Pure. */
export function kubeconfigKey({ text, map }: Pick<ProxyConfigMap, 'text' | 'map'>): string | undefined {
  const key = basename(kubeconfigOf(text) ?? '')
  return map.data?.[key] === undefined ? undefined : key
}

interface Movable {
  proxy: KubeProxy & { daemonSet: NonNullable<KubeProxy['daemonSet']> }
  config: ProxyConfigMap
  key: string
  facts: ClusterFacts
}

/** Throws `UserError` where a kube-proxy would lose its API server, now or on the next node that joins. */
export async function movable({ settings, asked }: RepointJob, world: VipWorld): Promise<Movable> {
  const proxy = await findKubeProxy(world.client, world)
  const { daemonSet, config } = proxy
  const key = config && kubeconfigKey(config)
  if (!daemonSet || !config || key === undefined)
    throw new UserError('kube-proxy has its kubeconfig from no ConfigMap: it can only be moved on each node', {
      hint: 'the same command without kube-proxy in --repoint',
    })
  const facts = await readFacts(world.client, asked.nodes, world)
  const having = new Set(facts.nodes.map(({ name }) => name))
  const lacking = [...(await podsOf(world.client, daemonSet, world)).keys()].filter(node => !having.has(node)).sort()
  if (lacking.length > 0)
    throw new UserError(`kube-proxy has one kubeconfig for all nodes, and these have no virtual IP: ${few(lacking)}`, {
      hint: `kubectl karmada-net vip up --nodes '' gives it to all of them`,
    })
  if (settings.staticServers.length === 0)
    throw new UserError('on a node that joins, kube-proxy would wait for the agent, and the agent for kube-proxy', {
      hint: `tell agents where to begin: ${facts.apiServers.map(each => `--static-server ${formatEndpoint(each)}`).join(' ')}`,
    })
  return { proxy: { ...proxy, daemonSet }, config, key, facts }
}

export const kubeProxyStep = (job: RepointJob): Step<VipWorld> => ({
  title: 'kube-proxy moved',
  async objects(world) {
    const { config, key, facts } = await movable(job, world)
    const target = await targetNow(job, facts)
    return shownIfThere(world, configRef(config.map.metadata.name), map => move(map, key, target))
  },
  async dryRun(world) {
    const { config, key, facts } = await movable(job, world)
    const target = await targetNow(job, facts)
    const written = await rewrite(world, configRef(config.map.metadata.name), map => move(map, key, target), true)
    return { changed: written !== undefined, detail: written ? `would lead to ${target.server}` : target.server }
  },
  async run(world, progress): Promise<StepResult> {
    const { proxy, config, key, facts } = await movable(job, world)
    const target = await targetNow(job, facts)
    const ready = facts.nodes.filter(node => node.ready).map(({ name }) => name)
    await agentsReady(world, job.settings, ready, progress)
    const written = await rewrite(world, configRef(config.map.metadata.name), map => move(map, key, target))
    const behind = await notRestarted(world, await findKubeProxy(world.client, world), ready)
    await restartOn(world, proxy.daemonSet, behind, progress)
    const from = written ? `${movedFrom(written)} -> ` : ''
    const restarted = behind.length > 0 ? `, restarted on ${counted(behind.length, 'node')}` : ''
    return { changed: written !== undefined || behind.length > 0, detail: `${from}${target.server}${restarted}` }
  },
})

/** The memory of it goes when no kube-proxy uses the virtual IP any more: an interrupted run goes on. */
export const kubeProxyBackStep: Step<VipWorld> = {
  title: 'kube-proxy as before',
  async objects(world) {
    const { config } = await findKubeProxy(world.client, world)
    return config ? shownIfThere(world, configRef(config.map.metadata.name), moveBack) : []
  },
  async dryRun(world) {
    const { config } = await findKubeProxy(world.client, world)
    const written = config && (await rewrite(world, configRef(config.map.metadata.name), moveBack, true))
    return { changed: written !== undefined, detail: written ? `would lead to ${movedFrom(written)}` : 'was not moved' }
  },
  async run(world, progress): Promise<StepResult> {
    const { daemonSet, config } = await findKubeProxy(world.client, world)
    const from = config && movedFrom(config.map)
    if (!config || from === undefined) return { changed: false, detail: 'was not moved' }
    const ref = configRef(config.map.metadata.name)
    await rewrite(world, ref, moveBack)
    if (daemonSet) {
      const { nodes } = await readFacts(world.client, [], world)
      const ready = nodes.filter(node => node.ready).map(({ name }) => name)
      const behind = await notRestarted(world, await findKubeProxy(world.client, world), ready)
      await restartOn(world, daemonSet, behind, progress)
    }
    await rewrite(world, ref, forget)
    return { changed: true, detail: from }
  },
}
