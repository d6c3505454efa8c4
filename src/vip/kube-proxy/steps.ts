import { counted } from '../../counted.ts'
import { planned } from '../../steps/objects.ts'
import type { Step, StepResult } from '../../steps/step.ts'
import { type Rewrite, rewrite, shown } from '../kept.ts'
import { readFacts } from '../up/facts.ts'
import type { Installation, VipWorld } from '../world.ts'
import { exclusionOf, modeOf, networkOf } from './config.ts'
import { addedIn, exclude, include } from './exclusion.ts'
import { configRef, findKubeProxy, type KubeProxy, type ProxyConfigMap } from './find.ts'
import { notRestarted, restartOn } from './restart.ts'

/** In mode ipvs kube-proxy removes every virtual server that is no Service's, unless it is told to leave it alone. */
export const excludeStep = ({ settings, asked }: Pick<Installation, 'settings' | 'asked'>): Step<VipWorld> => {
  const { vip } = settings
  const change = (config: ProxyConfigMap) => exclude(config, vip)
  return {
    title: 'kube-proxy leaves it alone',
    objects: world => plannedRewrite(world, change),
    async dryRun(world) {
      const proxy = await findKubeProxy(world.client, world)
      if (!(await applyChange(world, proxy, change, true))) return { changed: false, detail: howItIs(proxy, vip) }
      return { changed: true, detail: `${networkOf(vip)} would be in excludeCIDRs, and kube-proxy restarted` }
    },
    async run(world, progress): Promise<StepResult> {
      const proxy = await findKubeProxy(world.client, world)
      if (!proxy.daemonSet) return { changed: false, detail: howItIs(proxy, vip) }
      const written = await applyChange(world, proxy, change)
      const now = written ? await findKubeProxy(world.client, world) : proxy
      const { nodes } = await readFacts(world.client, asked.nodes, world)
      const ready = nodes.filter(node => node.ready).map(({ name }) => name)
      const behind = await notRestarted(world, now, ready)
      await restartOn(world, proxy.daemonSet, behind, progress)
      const restarted = behind.length > 0 ? `, restarted on ${counted(behind.length, 'node')}` : ''
      return { changed: written || behind.length > 0, detail: `${howItIs(now, vip)}${restarted}` }
    },
  }
}

/** kube-proxy is not restarted for it: to leave an address alone that nobody has costs nothing. */
export const includeStep: Step<VipWorld> = {
  title: "kube-proxy's settings as before",
  objects: world => plannedRewrite(world, include),
  dryRun: world => takeOut(world, true),
  run: world => takeOut(world, false),
}

async function takeOut(world: VipWorld, dryRun: boolean): Promise<StepResult> {
  const proxy = await findKubeProxy(world.client, world)
  const added = proxy.config && addedIn(proxy.config.map)
  const changed = await applyChange(world, proxy, include, dryRun)
  const detail = `${added} ${dryRun ? 'would go' : 'is'} out of excludeCIDRs`
  return { changed, detail: changed ? detail : 'they are so already' }
}

type Change = (config: ProxyConfigMap) => Rewrite | undefined

async function plannedRewrite({ client, signal }: VipWorld, change: Change) {
  const { config } = await findKubeProxy(client, { signal })
  const wanted = config && change(config)
  if (!wanted) return []
  return planned(`cluster ${client.context}`, [shown(configRef(config.map.metadata.name), wanted)])
}

/** Answers whether anything had to change. */
async function applyChange(world: VipWorld, { config }: KubeProxy, change: Change, dryRun = false): Promise<boolean> {
  if (!config) return false
  const again = (map: ProxyConfigMap['map']) => change({ ...config, map, text: map.data?.[config.key] ?? '' })
  return (await rewrite(world, configRef(config.map.metadata.name), again, dryRun)) !== undefined
}

/** In one line, with what to do by hand where we cannot. Pure. */
export function howItIs({ daemonSet, config }: KubeProxy, vip: string): string {
  if (!daemonSet) return `no DaemonSet runs it: in mode ipvs, its ipvs.excludeCIDRs needs ${networkOf(vip)}`
  if (!config) return `no ConfigMap has its settings: in mode ipvs, it needs --ipvs-exclude-cidrs=${networkOf(vip)}`
  const mode = modeOf(config.text)
  if (mode !== 'ipvs') return `mode ${mode} has no reason to touch it`
  return `mode ipvs, excludeCIDRs has ${exclusionOf(config.text, vip)}`
}
