import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { World } from '../plugin.ts'
import type { LoadConfig, LoadTally } from './load.ts'

const node = join(import.meta.dirname, '../../../node_modules/node/bin/node')
const stop = '/run/karmada-net-load'

export interface LoadOptions {
  /** The virtual IP, or where else the node takes connections to API servers. */
  host: string
  port?: number
  perSecond?: number
}

/**
 * Requests to API servers by the node in a virtual machine while `work` goes on, from a machine beside it whose processor is not simulated:
 * as a pod's they come in by the node's network, and leave it with the node's address.
 */
export async function underLoad(
  { sandbox, kubectl }: World,
  { host: address, port = 6443, perSecond = 200 }: LoadOptions,
  work: () => Promise<unknown>,
): Promise<LoadTally> {
  const vm = sandbox.vm('vm1')
  const { host } = sandbox
  const secret = async (path: string) =>
    Buffer.from(await kubectl('host', `config view --raw --minify -o jsonpath={${path}}`), 'base64').toString()
  const config: LoadConfig = {
    ...{ url: `https://${address}:${port}`, path: '/api/v1/namespaces/default', until: stop },
    // client-go gives a TLS handshake ten seconds, and a request ten attempts more.
    ...{ perSecond, connections: 20, freshEvery: 20, patienceMs: 10_000, retries: 10 },
    ca: await secret('.clusters[0].cluster.certificate-authority-data'),
    cert: await secret('.users[0].user.client-certificate-data'),
    key: await secret('.users[0].user.client-key-data'),
  }
  const table = 'table ip karmada-net-load'
  const chain = `chain out { type nat hook postrouting priority 100; ip saddr ${host.address} masquerade; }`
  // As a network of pods would.
  await vm.exec(['sysctl', '-qw', 'net.ipv4.ip_forward=1'])
  await vm.exec(['nft', '-f', '-'], { input: `${table}\ndelete ${table}\n${table} {\n${chain}\n}\n` })
  if (address !== vm.address) await host.exec(['ip', 'route', 'replace', address, 'via', vm.address])
  await rm(host.path(stop), { force: true })
  const running = host.exec([node, join(import.meta.dirname, 'load.ts')], { input: JSON.stringify(config) })
  running.catch(() => undefined)
  try {
    await work()
  } finally {
    await writeFile(host.path(stop), '')
    await running.catch(() => undefined)
    if (address !== vm.address) await host.exec(['ip', 'route', 'del', address])
    await vm.attempt(['nft', 'delete', ...table.split(' ')])
  }
  return JSON.parse((await running).stdout) as LoadTally
}

/** Figures for whoever reads along, and what went wrong. */
export function failures({ perSecond, requests }: LoadTally): string[] {
  const failed = requests.filter(({ error }) => error !== undefined)
  const longest = Math.max(...requests.map(({ tookMs }) => tookMs))
  const fresh = requests.filter(request => request.fresh).length
  const again = requests.filter(request => request.again > 0).length
  process.stdout.write(
    `${perSecond} requests/s: ${requests.length}, ${fresh} of them on new connections; ${again} asked again, ${failed.length} failed; longest ${longest} ms\n`,
  )
  return failed.map(({ atMs, tookMs, fresh, error }) =>
    [new Date(atMs).toISOString(), fresh ? 'new' : 'kept', `${tookMs} ms`, error].join(' '),
  )
}
