import type { KubeClient } from '../kube/types.ts'
import type { WaitOptions } from '../kube/wait.ts'
import type { Progress } from '../steps/step.ts'
import { refs, settingsKey } from './names.ts'
import { type Asked, askedOf, type ConfigMap, type DaemonSet } from './objects.ts'
import { readSettings, type VipSettings } from './settings.ts'

/** What the steps of one cluster act on. */
export interface VipWorld {
  client: KubeClient
  signal: AbortSignal
  /** For each wait. */
  timeoutMs: number
  /** Replace what a person set, and leave out what cannot be reached. */
  force: boolean
}

/** What an earlier run left on the cluster. */
export interface Installation {
  settings: VipSettings
  asked: Asked
  /** Undefined where the agents are not there (any more). */
  daemonSet: DaemonSet | undefined
}

/** Undefined: there is none. Throws `UserError` for settings that cannot be read. */
export async function findInstallation(
  client: KubeClient,
  options: { signal: AbortSignal },
): Promise<Installation | undefined> {
  const [config, daemonSet] = await Promise.all([
    client.find<ConfigMap>(refs.config, options),
    client.find<DaemonSet>(refs.daemonSet, options),
  ])
  const text = config?.data?.[settingsKey]
  if (config === undefined || text === undefined) return undefined
  return {
    settings: readSettings(text),
    asked: askedOf(config) ?? { nodes: [] },
    daemonSet,
  }
}

export const waiting = ({ timeoutMs, signal }: VipWorld, progress: Progress): WaitOptions => ({
  timeoutMs,
  signal,
  onProgress: progress,
})
