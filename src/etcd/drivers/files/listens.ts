import { connect } from 'node:net'
import type { Launch } from '../driver.ts'

const answerMs = 2000

/** Does something take connections where clients of this etcd would go? Where nobody answers, nothing does as far as this machine can tell. */
export function listens({ args }: Pick<Launch, 'args'>): Promise<boolean> {
  const flag = args.find(arg => arg.startsWith('--advertise-client-urls='))
  const { hostname, port } = new URL(flag?.slice(flag.indexOf('=') + 1) ?? 'https://localhost:2379')
  return new Promise(resolve => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })
    const answer = (taken: boolean) => {
      socket.destroy()
      resolve(taken)
    }
    socket.setTimeout(answerMs, () => answer(false))
    socket.once('connect', () => answer(true))
    socket.once('error', () => answer(false))
  })
}
