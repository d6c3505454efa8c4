import { request } from 'node:http'
import type { Duplex } from 'node:stream'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { UserError } from '../errors.ts'
import { openPort } from '../kube/port-forward.ts'
import type { KubeClient } from '../kube/types.ts'
import { type Address, hostPort } from './settings.ts'

/** A pod of the host cluster. */
export interface PodRef {
  namespace: string
  pod: string
}

export interface Answer {
  status: number
  text: string
}

/** CONNECT was not answered with 200; `said` is the proxy's own text. */
export class ConnectRefused extends Error {
  readonly status: number
  readonly said: string

  constructor(status: number, said: string) {
    super(said || `HTTP ${status}`)
    this.name = 'ConnectRefused'
    this.status = status
    this.said = said
  }
}

/** The member's API server did not prove to be the one that Karmada trusts. */
class UntrustedServer extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause })
    this.name = 'UntrustedServer'
  }
}

/**
 * Asks a proxy-server's sidecar for a connection, as Karmada does: port-forward to the pod, then CONNECT.
 * Throws `ConnectRefused` with the proxy's own words.
 */
export async function openTunnel(
  host: KubeClient,
  pod: PodRef,
  port: number,
  target: string,
  signal: AbortSignal,
): Promise<Duplex> {
  const stream = await openPort(host, { ...pod, port }, signal)
  return new Promise((resolve, reject) => {
    const connect = request({
      createConnection: () => stream,
      method: 'CONNECT',
      path: target,
      headers: { Host: target },
      signal,
    })
    connect.once('connect', (answer, socket, head) => {
      if (head.length) socket.unshift(head)
      const status = answer.statusCode ?? 0
      if (status === 200) return resolve(socket)
      void textOf(socket, signal).then(text => reject(new ConnectRefused(status, text || (answer.statusMessage ?? ''))))
    })
    connect.once('error', reject)
    connect.end()
  })
}

/** A refusal's body, without waiting for a proxy that keeps the connection. */
function textOf(stream: Duplex, signal: AbortSignal): Promise<string> {
  let text = ''
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer)
      stream.destroy()
      resolve(
        text
          .replace(/<[^>]*>/g, ' ')
          .replace(/\s+/g, ' ')
          .trim(),
      )
    }
    const timer = setTimeout(done, 300)
    signal.addEventListener('abort', done, { once: true })
    stream.on('data', chunk => {
      text += chunk
    })
    stream.once('end', done)
    stream.once('error', done)
  })
}

/** TLS with the member's API server over a tunnel. Throws `UntrustedServer` when name or authority are wrong. */
export function secure(stream: Duplex, apiServer: Address, authority: string | undefined): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls(
      {
        socket: stream,
        servername: apiServer.host,
        host: apiServer.host,
        minVersion: 'TLSv1.3',
        ...(authority ? { ca: authority } : {}),
      },
      () => resolve(socket),
    )
    stream.once('close', () => reject(new Error('the tunnel was closed during the TLS handshake')))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const untrusted = /CERT|ALTNAME|SELF_SIGNED|ISSUER|UNABLE_TO/.test(error.code ?? '')
      reject(untrusted ? new UntrustedServer(error.message, error) : error)
    })
  })
}

/** GET over a connection that is there; ends it. Throws when the answer does not come. */
function getOver(stream: Duplex, path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const get = request({ createConnection: () => stream, path, headers: { Connection: 'close', ...headers }, signal })
    get.once('response', answer => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', chunk => {
        text += chunk
      })
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text }))
      answer.once('error', reject)
    })
    get.once('error', reject)
    get.end()
  })
}

/** GET from a port of a pod. */
export async function getFromPod(
  host: KubeClient,
  pod: PodRef,
  port: number,
  path: string,
  signal: AbortSignal,
): Promise<Answer> {
  return getOver(await openPort(host, { ...pod, port }, signal), path, { Host: 'localhost' }, signal)
}

/** What Karmada knows of a member to log in there. */
export interface MemberLogin {
  token: string
  authority: string | undefined
}

/** GET from the member's API server through a proxy-server pod, with Karmada's own login. Throws `UserError` where the path breaks. */
export async function getThroughTunnel(
  host: KubeClient,
  pod: PodRef,
  { apiServer, login, port }: { apiServer: Address; login: MemberLogin; port: number },
  path: string,
  signal: AbortSignal,
): Promise<Answer> {
  const target = hostPort(apiServer)
  const limit = AbortSignal.timeout(answerMs)
  const either = AbortSignal.any([signal, limit])
  try {
    const socket = await secure(await openTunnel(host, pod, port, target, either), apiServer, login.authority)
    return await getOver(
      socket,
      path,
      { Host: target, Authorization: `Bearer ${login.token}`, Accept: 'application/json' },
      either,
    )
  } catch (error) {
    if (limit.aborted && !signal.aborted) throw tooLate(target, error)
    throw explain(error, target)
  }
}

/** A tunnel may lose its packets without a word. Milliseconds. */
const answerMs = 30_000

const tooLate = (target: string, cause: unknown): UserError =>
  new UserError(`${target} in the member gave no answer through the tunnel in ${answerMs / 1000}s`, {
    hint: 'run the same command again; kubectl karmada-net anp verify names the hop that fails',
    cause,
  })

function explain(error: unknown, target: string): unknown {
  if (error instanceof ConnectRefused) {
    return new UserError(`the tunnel does not reach ${target} in the member: ${error.said}`, {
      hint: 'name the API server as pods of the member reach it with --api-endpoint https://HOST:PORT',
      cause: error,
    })
  }
  if (error instanceof UntrustedServer) {
    return new UserError(`${target} in the member is not the API server that Karmada trusts: ${error.message}`, {
      hint: "use a name that its certificate holds, and the cluster's own authority signed: --api-endpoint https://HOST:PORT",
      cause: error,
    })
  }
  return error
}
