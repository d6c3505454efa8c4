import { UserError } from '../errors.ts'
import { applyConflicts, isConflict } from '../kube/errors.ts'
import { pick } from '../kube/manifest.ts'
import type { Wish } from './drain/judge.ts'
import { refs, settingsKey } from './names.ts'
import { askedOf, type ConfigMap, type ObjectSettings, vipObjects } from './objects.ts'
import { readSettings } from './settings.ts'
import type { VipWorld } from './world.ts'

/** So often another may come in between: each of them has got its own change through by then. */
const tries = 10

/** What the ConfigMap is to be, by what it is now; nothing where it is so already. Throws `UserError`. */
export type Change = (config: ConfigMap | undefined) => ConfigMap | undefined

/** Another API server in or out of the list of those that are drained. Pure. */
export const withWish =
  (address: string, wish: Wish): Change =>
  config => {
    if (!config)
      throw new UserError('the virtual IP was taken away meanwhile', { hint: 'kubectl karmada-net vip status' })
    const settings = readSettings(textOf(config))
    const others = settings.drained.filter(one => one !== address)
    const drained = wish === 'drained' ? [...others, address].sort() : others
    if (drained.length === settings.drained.length) return undefined
    return onto(config, { settings: { ...settings, drained }, asked: askedOf(config) ?? { nodes: [] } })
  }

/** Everything but who is drained, as that is another command's, which may come at any time. Pure. */
export const withSettings =
  ({ settings, asked }: Pick<ObjectSettings, 'settings' | 'asked'>): Change =>
  config => {
    const drained = config ? readSettings(textOf(config)).drained : settings.drained
    return onto(config, { settings: { ...settings, drained }, asked })
  }

/** Fields and notes that somebody else of us, or a newer version, wrote stay. */
function onto(config: ConfigMap | undefined, wanted: Pick<ObjectSettings, 'settings' | 'asked'>): ConfigMap {
  const map = pick<ConfigMap>(vipObjects(wanted), 'ConfigMap')
  if (!config) return map
  const all = { ...(JSON.parse(textOf(config)) as object), ...wanted.settings }
  const notes = Object.entries(config.metadata.annotations ?? {}).filter(([key]) => key.startsWith('karmada-net.io/'))
  map.metadata.annotations = { ...Object.fromEntries(notes), ...map.metadata.annotations }
  map.data = { [settingsKey]: `${JSON.stringify(all, undefined, 2)}\n` }
  return map
}

const textOf = ({ data }: ConfigMap): string => data?.[settingsKey] ?? ''

/** Reads, changes and writes, again where somebody else wrote in between. Answers whether anything had to change. */
export async function writeSettings(world: VipWorld, change: Change, dryRun = false): Promise<boolean> {
  const { client, signal, force } = world
  for (let left = tries; ; left--) {
    const config = await client.find<ConfigMap>(refs.config, { signal })
    const wanted = change(config)
    if (!wanted) return false
    try {
      const resourceVersion = config?.metadata.resourceVersion
      return (await client.apply(wanted, { signal, force, dryRun, resourceVersion })).outcome !== 'unchanged'
    } catch (error) {
      if (left === 0 || !isConflict(error) || applyConflicts(error).length > 0) throw error
    }
  }
}
