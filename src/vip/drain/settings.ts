import { UserError } from '../../errors.ts'
import { applyConflicts, isConflict } from '../../kube/errors.ts'
import { pick } from '../../kube/manifest.ts'
import { refs, settingsKey } from '../names.ts'
import { askedOf, type ConfigMap, vipObjects } from '../objects.ts'
import { readSettings } from '../settings.ts'
import type { VipWorld } from '../world.ts'
import type { Wish } from './judge.ts'

/** So often another may come in between: each of them has got its own change through by then. */
const tries = 10

/** The ConfigMap with the API server in or out of its list; nothing where it is so already. Pure. Throws `UserError`. */
export function withWish(config: ConfigMap, address: string, wish: Wish): ConfigMap | undefined {
  const text = config.data?.[settingsKey] ?? ''
  const settings = readSettings(text)
  const others = settings.drained.filter(one => one !== address)
  const drained = wish === 'drained' ? [...others, address].sort() : others
  if (drained.length === settings.drained.length) return undefined
  const wanted = pick<ConfigMap>(vipObjects({ settings, asked: askedOf(config) ?? { nodes: [] } }), 'ConfigMap')
  // Fields that a newer plugin wrote stay.
  const kept = { ...(JSON.parse(text) as object), drained }
  return { ...wanted, data: { [settingsKey]: `${JSON.stringify(kept, undefined, 2)}\n` } }
}

/** Reads, changes and writes, again where somebody else wrote in between. Answers whether anything had to change. */
export async function writeWish(world: VipWorld, address: string, wish: Wish, dryRun = false): Promise<boolean> {
  const { client, signal, force } = world
  for (let left = tries; ; left--) {
    const config = await client.find<ConfigMap>(refs.config, { signal })
    if (!config)
      throw new UserError('the virtual IP was taken away meanwhile', { hint: 'kubectl karmada-net vip status' })
    const wanted = withWish(config, address, wish)
    if (!wanted) return false
    try {
      const { resourceVersion } = config.metadata
      await client.apply(wanted, { signal, force, dryRun, resourceVersion })
      return true
    } catch (error) {
      if (left === 0 || !isConflict(error) || applyConflicts(error).length > 0) throw error
    }
  }
}
