import { pause } from '../../kube/pause.ts'
import type { Session } from '../../kube/session.ts'
import type { KubeObject, ListRef } from '../../kube/types.ts'
import { watchObjects } from '../../kube/watch.ts'
import type { Slice } from './known.ts'

/** Pauses after a list that failed, doubling from the first to the last. */
const firstPauseMs = 500
const lastPauseMs = 15_000

interface Heard<T> {
  /** Everything there is now. */
  told(items: T[]): void
  /** It cannot be asked for now; what was told stands. */
  failed(error: unknown): void
}

/** The EndpointSlices of the Service `default/kubernetes`, until the signal ends it. */
export function watchServers(session: Session, heard: Heard<Slice>, signal: AbortSignal): Promise<void> {
  const ref = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', namespace: 'default' }
  return follow<Slice & KubeObject>(
    session,
    { ...ref, labelSelector: 'kubernetes.io/service-name=kubernetes' },
    heard,
    signal,
  )
}

export interface SettingsMap extends KubeObject {
  data?: Record<string, string>
}

/** The ConfigMap of the settings. */
export function watchSettings(session: Session, heard: Heard<SettingsMap>, signal: AbortSignal): Promise<void> {
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system' }
  return follow<SettingsMap>(session, { ...ref, fieldSelector: 'metadata.name=karmada-net-vip' }, heard, signal)
}

async function follow<T extends KubeObject>(session: Session, ref: ListRef, heard: Heard<T>, signal: AbortSignal) {
  for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, lastPauseMs)) {
    try {
      const there = new Map<string, T>()
      for await (const event of watchObjects<T>(session, ref, { signal })) {
        pauseMs = firstPauseMs
        if (event.type === 'SYNC') {
          there.clear()
          for (const item of event.items) there.set(item.metadata.name, item)
        } else if (event.type === 'DELETED') there.delete(event.object.metadata.name)
        else there.set(event.object.metadata.name, event.object)
        heard.told([...there.values()])
      }
    } catch (error) {
      if (signal.aborted) return
      heard.failed(error)
    }
    // Nodes that all lost the same server do not all come back in the same moment.
    await pause(pauseMs * (0.5 + Math.random()), signal).catch(() => undefined)
  }
}
