import { isConflict } from '../kube/errors.ts'
import type { ObjectRef } from '../kube/types.ts'
import type { ConfigMap } from './objects.ts'
import type { VipWorld } from './world.ts'

/** Of somebody else's ConfigMap: texts to write, and annotations of ours to keep (undefined: to remove). */
export interface Rewrite {
  data: Record<string, string>
  annotations: Record<string, string | undefined>
}

/** So often another may come in between: each of them has got its own change through by then. */
const tries = 10

/**
 * Reads, changes and writes, again where somebody else wrote in between. `change` answers nothing where all is so already.
 * Answers the ConfigMap as written, or undefined where nothing was.
 */
export async function rewrite(
  { client, signal }: VipWorld,
  ref: ObjectRef,
  change: (map: ConfigMap) => Rewrite | undefined,
  dryRun = false,
): Promise<ConfigMap | undefined> {
  for (let left = tries; ; left--) {
    const map = await client.find<ConfigMap>(ref, { signal })
    const wanted = map && change(map)
    if (!wanted) return undefined
    try {
      return await client.mergePatch<ConfigMap>(ref, patchOf(wanted, map.metadata.resourceVersion), { signal, dryRun })
    } catch (error) {
      if (left === 0 || !isConflict(error)) throw error
    }
  }
}

/** As a merge patch wants it: what is to go is null. */
const patchOf = ({ data, annotations }: Rewrite, resourceVersion: string | undefined) => ({
  metadata: {
    resourceVersion,
    annotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [key, value ?? null])),
  },
  data,
})

/** As a dry run shows it: what changes, and nothing else. Pure. */
export const shown = ({ name, namespace }: ObjectRef, { data, annotations }: Rewrite): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...(namespace !== undefined && { namespace }), annotations: definite(annotations) },
  data,
})

const definite = (all: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))
