import { compareVersions } from './versions.ts'

/** Flags of 3.5 that became feature gates in 3.6; with both, 3.6 does not start. */
const gates: Record<string, string> = {
  'experimental-compact-hash-check-enabled': 'CompactHashCheck',
  'experimental-enable-lease-checkpoint': 'LeaseCheckpoint',
  'experimental-enable-lease-checkpoint-persist': 'LeaseCheckpointPersist',
  'experimental-initial-corrupt-check': 'InitialCorruptCheck',
  'experimental-stop-grpc-service-on-defrag': 'StopGRPCServiceOnDefrag',
  'experimental-txn-mode-write-with-shared-buffer': 'TxnModeWriteWithSharedBuffer',
}

/** Flags that 3.6 does not know any more; it would not start. */
const removed = new Set([
  'enable-v2',
  'experimental-enable-v2v3',
  'proxy',
  'proxy-dial-timeout',
  'proxy-failure-wait',
  'proxy-read-timeout',
  'proxy-refresh-interval',
  'proxy-write-timeout',
])

export interface FlagChange {
  from: string
  /** Undefined: left out, as there is nothing like it. */
  to?: string | undefined
}

/**
 * What becomes of the user's own flags in this version: 3.6 made feature gates or plain flags of the experimental ones, and 3.7 starts with none of them. Pure.
 */
export function flagsFor(version: string, args: readonly string[]): { args: string[]; changes: FlagChange[] } {
  if (compareVersions(version, '3.6.0') < 0) return { args: [...args], changes: [] }
  const became = args.map(from => ({ from, to: renamed(from) }))
  return {
    args: became.flatMap(({ to }) => (to === undefined ? [] : [to])),
    changes: became.filter(({ from, to }) => from !== to),
  }
}

function renamed(arg: string): string | undefined {
  const [, name = '', value] = /^--?([^=]+)(?:=(.*))?$/.exec(arg) ?? []
  if (removed.has(name)) return undefined
  const gate = gates[name]
  if (gate !== undefined) return `--feature-gates=${gate}=${value ?? 'true'}`
  if (!name.startsWith('experimental-')) return arg
  const plain = name.slice('experimental-'.length)
  return value === undefined ? `--${plain}` : `--${plain}=${value}`
}
