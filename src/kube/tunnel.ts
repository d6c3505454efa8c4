import * as http from 'node:http'
import * as https from 'node:https'
import type { Socket } from 'node:net'
import * as net from 'node:net'
import { describeSocketError, ProxyError } from './connection-errors.ts'
import { connectSocks } from './socks.ts'

/** A proxy that does not answer must not hold up a command for as long as TCP would. */
const proxyTimeoutMs = 30_000

/** A TCP connection to `host:port` through the proxy. Rejects with `ProxyError` when the proxy is not there or says no. */
export async function openTunnel(proxy: URL, host: string, port: number): Promise<Socket> {
  const name = `proxy ${proxy.protocol}//${proxy.host}`
  try {
    return await (proxy.protocol.startsWith('socks5')
      ? socksTunnel(proxy, host, port)
      : connectTunnel(proxy, host, port))
  } catch (error) {
    throw new ProxyError(`${name}: ${describeSocketError(error)}`, { cause: error })
  }
}

function connectTunnel(proxy: URL, host: string, port: number): Promise<Socket> {
  const target = `${net.isIPv6(host) ? `[${host}]` : host}:${port}`
  const { request } = proxy.protocol === 'https:' ? https : http
  return new Promise((resolve, reject) => {
    const connect = request({
      agent: false,
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: target,
      headers: { Host: target, ...authorization(proxy) },
      timeout: proxyTimeoutMs,
    })
    connect.once('connect', (answer, socket, head) => {
      if (answer.statusCode !== 200) {
        socket.destroy()
        return reject(new Error(`CONNECT ${target} was answered with ${answer.statusCode} ${answer.statusMessage}`))
      }
      socket.setTimeout(0)
      if (head.length) socket.unshift(head)
      resolve(socket as Socket)
    })
    connect.once('timeout', () => connect.destroy(new Error(`no answer in ${proxyTimeoutMs / 1000}s`)))
    connect.once('error', reject)
    connect.end()
  })
}

function authorization(proxy: URL): Record<string, string> {
  if (!proxy.username) return {}
  const login = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  return { 'Proxy-Authorization': `Basic ${Buffer.from(login).toString('base64')}` }
}

async function socksTunnel(proxy: URL, host: string, port: number): Promise<Socket> {
  const socket = net.connect({ host: proxy.hostname.replace(/^\[|\]$/g, ''), port: Number(proxy.port || 1080) })
  socket.setTimeout(proxyTimeoutMs, () => socket.destroy(new Error(`no answer in ${proxyTimeoutMs / 1000}s`)))
  try {
    const login = { username: decodeURIComponent(proxy.username), password: decodeURIComponent(proxy.password) }
    await connectSocks(socket, host, port, login)
  } catch (error) {
    socket.destroy()
    throw error
  }
  return socket.setTimeout(0)
}
