import { applyConflicts, isConflict } from '../../../kube/errors.ts'
import type { KubeObject } from '../../../kube/types.ts'
import type { Site } from './world.ts'

/**
 * Applies an object that is the plugin's alone: what somebody wrote into it by hand would come into force with the member's next start, so it
 * is overwritten, and told. `mended`: what was not as it should be.
 */
export async function applyOurs<T extends KubeObject>(
  { client, signal }: Pick<Site, 'client' | 'signal'>,
  wanted: T,
): Promise<{ object: T; mended: string[] }> {
  try {
    const { object, outcome } = await client.apply(wanted, { signal })
    return { object, mended: outcome === 'unchanged' ? [] : [wanted.kind] }
  } catch (error) {
    if (!isConflict(error)) throw error
    const { object } = await client.apply(wanted, { signal, force: true })
    const fields = applyConflicts(error).map(({ field, manager }) => `${field} by ${manager}`)
    return { object, mended: [[wanted.kind, fields.join(', ')].filter(Boolean).join(' ')] }
  }
}
