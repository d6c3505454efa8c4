import type { CheckResult } from '../../checks/check.ts'
import { readFacts } from '../up/facts.ts'
import { few } from '../up/objections.ts'
import type { Installation, VipWorld } from '../world.ts'
import { findKubeProxy } from './find.ts'
import { judgeKubeProxy } from './judge.ts'
import { notRestarted } from './restart.ts'

/** Does kube-proxy leave the virtual server alone, by its settings and on every node that has it? */
export async function checkKubeProxy(
  world: Pick<VipWorld, 'client' | 'signal'>,
  { settings, asked }: Pick<Installation, 'settings' | 'asked'>,
): Promise<CheckResult> {
  const proxy = await findKubeProxy(world.client, world)
  const result = judgeKubeProxy(proxy.config?.text, settings.vip)
  if (!result.ok) return result
  const { nodes } = await readFacts(world.client, asked.nodes, world)
  const names = nodes.map(({ name }) => name)
  const behind = await notRestarted(world, proxy, names)
  if (behind.length === 0) return result
  return {
    ok: false,
    detail: `${result.detail}, but does not know that yet on ${few(behind)}`,
    hint: 'kubectl karmada-net vip up goes on with restarting it there',
  }
}
