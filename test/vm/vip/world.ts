import { createPrivateKey } from 'node:crypto'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { bundleAgents, nodeFlags } from '../../../src/build/agents.ts'
import { createAuthority, issue } from '../../../src/pki/certificate.ts'
import { formatEndpoint } from '../../../src/vip/address.ts'
import type { NodeReport } from '../../../src/vip/report.ts'
import { findServer } from '../../../src/vip/table/read.ts'
import type { Vm } from '../boot.ts'
import { makeSegment } from '../segment.ts'
import type { ClusterConfig, Order } from './api-servers.ts'
import type { ClientConfig, Tally } from './client.ts'

const root = join(import.meta.dirname, '../../..')
/** The project's own Node. */
export const node = join(root, 'node_modules/node/bin/node')
/** The processor is simulated, and the machine may be busy with other things: patience, in milliseconds. */
export const patience = { timeout: 100_000, interval: 300 }

export interface Addresses {
  family: 'ipv4' | 'ipv6'
  vip: string
  node: string
  servers: [string, string, string]
  prefix: number
}

export const ipv4: Addresses = {
  family: 'ipv4',
  vip: '198.18.0.1',
  node: '192.168.10.10',
  servers: ['192.168.10.1', '192.168.10.2', '192.168.10.3'],
  prefix: 24,
}
export const ipv6: Addresses = {
  family: 'ipv6',
  vip: 'fd00::1',
  node: 'fd10::10',
  servers: ['fd10::1', 'fd10::2', 'fd10::3'],
  prefix: 64,
}

export type World = Awaited<ReturnType<typeof makeWorld>>

/** One node with the agent, and three API servers on another machine. */
export async function makeWorld(vm: Vm, { vip, node: nodeIp, servers, prefix, family }: Addresses, settings?: object) {
  const name = `n${family.slice(-1)}`
  const masters = `m${family.slice(-1)}`
  const lan = await makeSegment(vm, `lan${family.slice(-1)}`, {
    [masters]: servers.map(server => `${server}/${prefix}`),
    [name]: [`${nodeIp}/${prefix}`],
  })
  const folder = `/run/${name}`
  // Of a simulated processor nobody can expect answers as soon as of a real one.
  const probe = { connectEveryMs: 500, connectTimeoutMs: 4000, readyTimeoutMs: 10_000 }
  const base = { vip, port: 6443, scheduler: 'rr', ...(settings ?? { probe }) }
  const of = (last: number) => formatEndpoint({ host: servers[0].replace(/1$/, String(last)), port: 6443 })
  const put = (file: string, text: string) =>
    vm.exec(['sh', '-c', 'mkdir -p "$(dirname "$0")" && cat >"$0.new" && mv "$0.new" "$0"', file], { input: text })

  const authority = createAuthority('cluster', { days: 1 })
  const other = createAuthority('other', { days: 1 })
  const pair = (by: typeof authority) =>
    issue(
      { certificate: by.certificate, key: createPrivateKey(by.key) },
      { commonName: 'kube-apiserver', names: ['kubernetes', ...servers], usages: ['server'], days: 1 },
    )
  const config: ClusterConfig = {
    addresses: servers,
    port: 6443,
    certificate: pair(authority),
    wrong: pair(other),
    endpoints: servers,
    settings: base,
  }
  await put(`${folder}/ca.crt`, authority.certificate)
  await put(`${folder}/token`, 'token')
  await put(`${folder}/cluster.json`, JSON.stringify(config))
  await put(`${folder}/vip.cjs`, (await bundleAgents()).find(({ name }) => name === 'vip')?.text ?? '')
  const script = (file: string) => vm.hostPath(join(import.meta.dirname, file))
  const startApi = `exec ${vm.hostPath(node)} ${script('api-servers.ts')} <${folder}/cluster.json`
  await lan.start(masters, ['sh', '-c', startApi])

  const agentFlags = [`--ca=${folder}/ca.crt`, `--token=${folder}/token`, `--state=${folder}/state`]
  const agentCommand = [vm.hostPath(node), ...nodeFlags, `${folder}/vip.cjs`]
  let clients = 0

  const world = {
    vm,
    base,
    of,
    node: { name, ip: nodeIp },
    servers: masters,
    folder,
    exec: (command: string[]) => lan.exec(name, command),
    attempt: (command: string[]) => lan.attempt(name, command),
    onServers: (command: string[]) => lan.exec(masters, command),
    agent: (...args: string[]) => lan.attempt(name, [...agentCommand, ...args, `--state=${folder}/state`]),
    putSettings: (settings: object) => put(`${folder}/settings/settings.json`, JSON.stringify(settings)),
    /** What the API servers do from now on. */
    async order(order: Order) {
      const curl = ['curl', '-sS', '-m', '20', '-d', JSON.stringify(order), 'http://127.0.0.1:9000/']
      await lan.exec(masters, curl)
    },
    /** `before`: a shell command that it runs in a mount namespace of its own. */
    async startAgent(env: Record<string, string> = {}, before = ':') {
      const command = [...agentCommand, 'run', ...agentFlags, `--settings=${folder}/settings`, `--node-ip=${nodeIp}`]
      const keepPid = `${before}; echo $$ >"$0"; exec "$@"`
      const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`)
      await lan.start(name, [
        'unshare',
        '--mount',
        'env',
        ...variables,
        '/bin/sh',
        '-c',
        keepPid,
        `${folder}/pid`,
        ...command,
        '--node',
        name,
      ])
    },
    killAgent: (signal = 'KILL') => vm.exec(['sh', '-c', `kill -${signal} "$(cat ${folder}/pid)"`]),
    log: async () => (await vm.exec(['cat', `/run/${name}.log`])).stdout,
    /** `1=1 2=0`: the last digit of each server's address and its weight; nothing without a virtual server. */
    async weights(host = vip): Promise<string | undefined> {
      const { stdout } = await lan.exec(name, ['cat', '/proc/net/ip_vs'])
      const found = findServer(stdout, { host, port: 6443 })
      return found?.realServers
        .map(({ host, weight }) => `${host.slice(-1)}=${weight}`)
        .sort()
        .join(' ')
    },
    becomes: (wanted: string | undefined, host = vip) => until(() => world.weights(host), wanted),
    async report(): Promise<NodeReport> {
      const host = formatEndpoint({ host: nodeIp, port: 9819 })
      return JSON.parse((await lan.exec(name, ['curl', '-sS', '-m', '20', `http://${host}/status`])).stdout)
    },
    async get(path: string): Promise<string> {
      const host = formatEndpoint({ host: nodeIp, port: 9819 })
      const { stdout } = await lan.attempt(name, [
        'curl',
        '-sS',
        '-m',
        '20',
        '-w',
        '%{http_code}',
        `http://${host}${path}`,
      ])
      return stdout
    },
    /** Requests through the virtual IP while `work` goes on. */
    async underRequests(work: () => Promise<unknown>, everyMs = 500): Promise<Tally> {
      const until = `${folder}/stop${++clients}`
      const begun = `${folder}/begun${clients}`
      const input: ClientConfig = { host: vip, port: 6443, authority: authority.certificate, everyMs, until, begun }
      const running = lan.exec(name, [vm.hostPath(node), script('client.ts')], { input: JSON.stringify(input) })
      running.catch(() => undefined)
      try {
        // A client that cannot begin says why when it ends.
        await Promise.race([running, vm.exec(['sh', '-c', 'until [ -e "$0" ]; do sleep 0.2; done', begun])])
        await work()
      } finally {
        await vm.exec(['touch', until])
      }
      return JSON.parse((await running).stdout) as Tally
    },
  }
  await world.putSettings(base)
  await vm.exec(['modprobe', '-a', 'ip_vs', 'ip_vs_rr', 'ip_vs_lc', 'nf_conntrack'])
  await world.exec([
    'sysctl',
    '-qw',
    'net.ipv4.vs.conntrack=1',
    'net.ipv4.vs.expire_nodest_conn=1',
    'net.ipv4.vs.expire_quiescent_template=1',
  ])
  const retry = ['--retry', '300', '--retry-delay', '1', '--retry-connrefused', '--retry-max-time', '180']
  await world.onServers(['curl', '-sS', ...retry, '-d', '{}', 'http://127.0.0.1:9000/'])
  return world
}

/** Asks again until the answer is as wanted. Throws what it was last. */
export async function until<T>(ask: () => Promise<T>, wanted: T): Promise<void> {
  const end = performance.now() + patience.timeout
  for (;;) {
    const found = await ask()
    if (isDeepStrictEqual(found, wanted)) return
    if (performance.now() > end) throw new Error(`it is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`)
  }
}
