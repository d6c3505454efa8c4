import { request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Access } from './kubeconfig.ts'

/** One GET. Throws on a status of 400 and above, and when there is no answer in 5 seconds. */
export async function get<T = unknown>(access: Access, path: string): Promise<T> {
  const text = await getText(access, path)
  return JSON.parse(text) as T
}

export function getText({ server, ca, certificate, key }: Access, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(new URL(path, server), { ca, cert: certificate, key, timeout: 5000, agent: false }, answer => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        if ((answer.statusCode ?? 500) < 400) resolve(text)
        else reject(new Error(`${server}${path}: ${answer.statusCode} ${text.slice(0, 200)}`))
      })
    })
    call.on('timeout', () => call.destroy(new Error(`${server}${path}: no answer in 5 s`)))
    call.on('error', reject)
    call.end()
  })
}

/** Asks again until the answer is true (an error is a no). Throws after `seconds` with what was last in the way. */
export async function until(what: string, seconds: number, ask: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + seconds * 1000
  for (;;) {
    let reason = 'not yet'
    try {
      if (await ask()) return
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error)
    }
    if (performance.now() > end) throw new Error(`${what}: not within ${seconds} s: ${reason}`)
    await sleep(250)
  }
}

/** The parts of a Node, Cluster or Deployment that say whether it is ready. */
export interface WithConditions {
  status?: { conditions?: { type: string; status: string }[]; readyReplicas?: number; replicas?: number }
  spec?: { replicas?: number }
}

export const hasCondition = (object: WithConditions, type: string): boolean =>
  object.status?.conditions?.some(condition => condition.type === type && condition.status === 'True') ?? false

export const isRolledOut = ({ spec, status }: WithConditions): boolean =>
  (status?.readyReplicas ?? 0) >= (spec?.replicas ?? 1) && (status?.replicas ?? 0) === (spec?.replicas ?? 1)
