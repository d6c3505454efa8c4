import { adminIdentity } from '../certificates.ts'
import { clientUrl, type MemberSpec } from '../cluster.ts'
import type { EtcdWorld } from '../world.ts'
import { createConnection } from './connection.ts'

const answerMs = 5000

/** What a member measures, as text for Prometheus; undefined where its client port does not tell. Throws as `EtcdClient`. */
export async function readMetrics(
  { state, store, signal }: Pick<EtcdWorld, 'state' | 'store' | 'signal'>,
  member: MemberSpec,
): Promise<string | undefined> {
  const connection = createConnection(clientUrl(member, state.spec), () => adminIdentity(store))
  try {
    const call = { method: 'GET', path: '/metrics', repeatable: true } as const
    const { status, text } = await connection.ask(call, { timeoutMs: answerMs, signal })
    return status === 200 ? text : undefined
  } finally {
    connection.close()
  }
}

/** When the process began, by its own clock. Seconds; undefined where the text does not say. Pure. */
export function startedIn(metrics: string): number | undefined {
  const [, value] = /^process_start_time_seconds (\S+)$/m.exec(metrics) ?? []
  return value === undefined ? undefined : Number(value)
}
