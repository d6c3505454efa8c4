import { counted } from '../counted.ts'
import type { KubeClient, KubeObject } from '../kube/types.ts'
import type { PlannedObject, StepResult } from './step.ts'

export interface ApplyAllOptions {
  /** Take over fields that another manager owns. */
  force: boolean
  signal: AbortSignal
}

/** Applies in order. `changed` is false when every object was already so. */
export async function applyAll(
  client: KubeClient,
  objects: readonly KubeObject[],
  { force, signal }: ApplyAllOptions,
  dryRun = false,
): Promise<StepResult> {
  let changed = 0
  for (const object of objects) {
    const { outcome } = await client.apply(object, { force, signal, dryRun })
    if (outcome !== 'unchanged') changed++
  }
  return {
    changed: changed > 0,
    detail: `${changed} of ${objects.length} objects ${dryRun ? 'would change' : 'changed'}`,
  }
}

/** Deletes in order. `changed` is false when none was there. */
export async function deleteAll(
  client: KubeClient,
  objects: readonly KubeObject[],
  dryRun = false,
): Promise<StepResult> {
  let count = 0
  for (const { apiVersion, kind, metadata } of objects) {
    if (await client.delete({ apiVersion, kind, name: metadata.name, namespace: metadata.namespace }, { dryRun }))
      count++
  }
  return { changed: count > 0, detail: counted(count, 'object') }
}

/** As a dry run shows them. */
export const planned = (where: string, objects: readonly KubeObject[]): PlannedObject[] =>
  objects.map(object => ({ where, object }))

/** An object by its name alone, as a dry run shows what is to be deleted. */
export const bare = ({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): KubeObject => ({
  apiVersion,
  kind,
  metadata: namespace === undefined ? { name } : { name, namespace },
})
