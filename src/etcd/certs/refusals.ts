import { pause } from '../../kube/pause.ts'
import type { MemberSpec } from '../cluster.ts'
import type { EtcdWorld } from '../world.ts'

/** Clients that lost their connection come back within this. Milliseconds. */
const comeBackMs = 4000
const logLines = 500

/** What etcd writes first of all when it starts; what is before it in a log is of an earlier run. */
const beginning = '"Running: "'
const untrusted =
  /certificate signed by unknown authority|remote error: tls: (unknown certificate authority|bad certificate|unknown certificate)/

/** Addresses whose certificate etcd turned away since it was last started, or who turned its own away, from its log. Pure. */
export function refusedClients(log: string): string[] {
  const lines = log.slice(Math.max(0, log.lastIndexOf(beginning))).split('\n')
  const addresses = lines.flatMap(line => {
    if (!line.includes('rejected connection on client endpoint') || !untrusted.test(line)) return []
    const remote = /"remote-addr":"([^"]+)"/.exec(line)?.[1]
    return remote === undefined ? [] : [remote.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')]
  })
  return [...new Set(addresses)]
}

/** A place in a member's log: its last line now. */
export const logMark = async (world: EtcdWorld, member: MemberSpec): Promise<string> =>
  lastLineOf(await logOf(world, member, 5))

/** Who is turned away by a member, or turns it away, after this place in its log; gives them a moment to come. */
export async function turnedAwaySince(world: EtcdWorld, member: MemberSpec, mark: string): Promise<string[]> {
  await pause(comeBackMs, world.signal)
  return refusedClients(after(mark, await logOf(world, member, logLines)))
}

/** Pure. */
export function after(mark: string, log: string): string {
  const at = mark === '' ? -1 : log.lastIndexOf(mark)
  return at < 0 ? log : log.slice(at + mark.length)
}

const lastLineOf = (log: string): string => log.trim().split('\n').at(-1) ?? ''

/** Empty where the log cannot be had: of a machine that only its owner reaches. */
const logOf = (world: EtcdWorld, member: MemberSpec, lines: number): Promise<string> =>
  world
    .driverOf(member)
    .logs(lines)
    .catch(() => '')
