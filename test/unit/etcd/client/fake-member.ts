import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { createEtcdClient } from '../../../../src/etcd/client/gateway.ts'
import type { CallLimits, ClientIdentity, EtcdClient } from '../../../../src/etcd/client/types.ts'
import { createAuthority, issue, type KeyPair } from '../../../../src/pki/certificate.ts'

const authority = createAuthority('etcd', { days: 1 })
const signer = { certificate: authority.certificate, key: createPrivateKey(authority.key) }
const otherAuthority: KeyPair = createAuthority('another', { days: 1 })
const otherSigner = { certificate: otherAuthority.certificate, key: createPrivateKey(otherAuthority.key) }

/** An hour ago it ended. */
const past = { days: 1 / 24, now: new Date(Date.now() - 2 * 3_600_000) }
const usages: ('server' | 'client')[] = ['server', 'client']
const server = { commonName: 'm1', usages, names: ['127.0.0.1'], days: 1 }
const client = { commonName: 'admin', usages: ['client'] as 'client'[], days: 1 }

export const serverCertificates = {
  good: issue(signer, server),
  expired: issue(signer, { ...server, ...past }),
  elsewhere: issue(signer, { ...server, names: ['10.0.0.9'] }),
  foreign: issue(otherSigner, server),
}
export const identities: Record<'good' | 'foreign' | 'none', ClientIdentity> = {
  good: { ca: authority.certificate, ...issue(signer, client) },
  foreign: { ca: authority.certificate, ...issue(otherSigner, client) },
  none: { ca: authority.certificate, certificate: '', key: '' },
}

export interface FakeMember extends AsyncDisposable {
  endpoint: string
  client(identity?: ClientIdentity, limits?: CallLimits): EtcdClient
}

const tls = (certificate: KeyPair): ServerOptions => ({
  cert: certificate.certificate,
  key: certificate.key,
  ca: authority.certificate,
  requestCert: true,
  rejectUnauthorized: true,
})

/** A JSON gateway that says what a test wants. */
export const startGateway = (listener: RequestListener, certificate = serverCertificates.good): Promise<FakeMember> =>
  listening(createServer(tls(certificate), listener), 'https')

/** As etcd's client port: gRPC where a client speaks HTTP/2, the gateway for all others. */
export const startGrpc = (setUp: (server: ReturnType<typeof createSecureServer>) => void): Promise<FakeMember> => {
  const grpc = createSecureServer({ ...tls(serverCertificates.good), allowHTTP1: true })
  // A client that goes away is what some tests are about.
  grpc.on('session', session => session.on('error', () => undefined))
  grpc.on('stream', stream => stream.on('error', () => undefined))
  setUp(grpc)
  return listening(grpc, 'https')
}

export async function listening(server: Server, scheme: 'http' | 'https'): Promise<FakeMember> {
  const sockets = new Set<{ destroy(): void }>()
  server.on('connection', socket => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const endpoint = `https://127.0.0.1:${port}`
  const clients: EtcdClient[] = []
  return {
    endpoint: scheme === 'https' ? endpoint : `http://127.0.0.1:${port}`,
    client(identity = identities.good, limits = {}) {
      const made = createEtcdClient(endpoint, async () => identity, limits)
      clients.push(made)
      return made
    },
    async [Symbol.asyncDispose]() {
      for (const each of clients) each.close()
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** Answers every request with this. */
export const always =
  (status: number, body: string | object): RequestListener =>
  (_, response) => {
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
  }
