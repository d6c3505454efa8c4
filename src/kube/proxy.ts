import { BlockList, isIP, isIPv6 } from 'node:net'
import { UserError } from '../errors.ts'

type Env = Record<string, string | undefined>

/**
 * The proxy on the way to a server, or undefined: the cluster's `proxy-url`, else what the environment says in Go's reading of it:
 * HTTPS_PROXY or HTTP_PROXY by the server's scheme, upper case before lower case, and NO_PROXY against the server's name.
 * Throws `UserError` for a proxy that cannot be used.
 */
export function proxyFor(server: URL, proxyUrl: string | undefined, env: Env): URL | undefined {
  if (proxyUrl) return parseProxy(proxyUrl, 'proxy-url')
  const variable = server.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const value = fromEnv(env, variable)
  if (!value || isBypassed(server, fromEnv(env, 'NO_PROXY') ?? '')) return undefined
  return parseProxy(value, variable)
}

function fromEnv(env: Env, name: string): string | undefined {
  return env[name] || env[name.toLowerCase()] || undefined
}

function parseProxy(value: string, from: string): URL {
  const url = URL.parse(value.includes('://') ? value : `http://${value}`)
  if (!url?.hostname) throw new UserError(`${from} "${value}" is not a URL`)
  if (!/^(https?|socks5h?):$/.test(url.protocol)) {
    throw new UserError(`${from} "${value}": proxies are http://, https:// or socks5://`)
  }
  return url
}

/** Go's NO_PROXY: `*`, IPs, CIDRs, `name` (and all below it), `.name` (only below it), each with an optional port. Loopback always. */
export function isBypassed(server: URL, noProxy: string): boolean {
  const host = server.hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
  const port = server.port || (server.protocol === 'https:' ? '443' : '80')
  if (host === 'localhost' || (isIP(host) && blockOf('127.0.0.0/8', '::1/128').check(host, family(host)))) return true
  return noProxy
    .split(',')
    .map(entry => entry.trim().toLowerCase())
    .filter(entry => entry !== '')
    .some(entry => matches(entry, host, port))
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  if (/^[^/]+\/\d+$/.test(entry)) return isIP(host) !== 0 && blockOf(entry).check(host, family(host))
  const [name, onlyPort] = splitPort(entry)
  if (onlyPort && onlyPort !== port) return false
  if (isIP(name)) return isIP(host) !== 0 && blockOf(`${name}/${isIPv6(name) ? 128 : 32}`).check(host, family(host))
  const suffix = name.replace(/^\*/, '')
  return suffix.startsWith('.') ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`)
}

function splitPort(entry: string): [name: string, port: string | undefined] {
  if (isIP(entry)) return [entry, undefined]
  const parts = /^\[?(.*?)\]?(?::(\d+))?$/.exec(entry)
  return [parts?.[1] ?? entry, parts?.[2]]
}

const family = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4')

function blockOf(...ranges: string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits = ''] = range.split('/')
    const longest = isIPv6(address) ? 128 : 32
    if (isIP(address) && Number(bits) <= longest) list.addSubnet(address, Number(bits), family(address))
  }
  return list
}
