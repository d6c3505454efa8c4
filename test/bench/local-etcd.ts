import { spawn } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createEtcdClient } from '../../src/etcd/client/gateway.ts'
import type { ClientIdentity, EtcdClient } from '../../src/etcd/client/types.ts'
import type { ClusterSpec, ClusterState, MemberSpec } from '../../src/etcd/cluster.ts'
import { clientUrl, peerUrl } from '../../src/etcd/cluster.ts'
import { launchOf } from '../../src/etcd/launch.ts'
import { createAuthority, issue } from '../../src/pki/certificate.ts'

export interface LocalMember {
  spec: MemberSpec
  client: EtcdClient
  pid: number
  /** SIGTERM, and waits until it is gone. */
  stop(): Promise<void>
}

export interface LocalEtcd {
  state: ClusterState
  members: LocalMember[]
  identity: ClientIdentity
  /** Where `identity` is in files. */
  files: { ca: string; certificate: string; key: string }
  stop(): Promise<void>
}

/** Real etcd processes on this machine, each on an address of its own of loopback, everything of theirs in `folder`. */
export async function startLocalEtcd(
  program: string,
  folder: string,
  addresses: readonly string[],
  { version, quotaBytes }: { version: string; quotaBytes: number },
): Promise<LocalEtcd> {
  const specs = addresses.map((address, index): MemberSpec => {
    const name = `m${index + 1}`
    return { name, address, site: name, driver: { kind: 'files', directory: folder, run: 'systemd' } }
  })
  const state = stateOf(specs, version, quotaBytes)
  const { identity, files, leafFor } = await certificates(folder)
  const bootstrap = {
    state: 'new' as const,
    members: specs.map(spec => ({ name: spec.name, peerUrl: peerUrl(spec, state.spec) })),
  }
  const members = await Promise.all(
    specs.map(async spec => {
      const own = join(folder, spec.name)
      await mkdir(own, { recursive: true })
      await writeFile(join(own, 'ca.crt'), identity.ca)
      for (const file of ['server.pem', 'peer.pem']) await writeFile(join(own, file), leafFor(spec), { mode: 0o600 })
      const paths = { data: (generation: number) => join(own, `data-${generation}`), pki: own }
      const { args, bootstrapArgs } = launchOf(state, spec, paths, bootstrap)
      const mine = args.filter(arg => !arg.startsWith('--listen-metrics-urls'))
      const started = await start(program, [...mine, ...bootstrapArgs], join(own, 'log'))
      const client = createEtcdClient(clientUrl(spec, state.spec), async () => identity)
      return { spec, client, ...started }
    }),
  )
  const stop = async () => void (await Promise.all(members.map(each => each.stop())))
  await Promise.all(members.map(({ client }) => ready(client))).catch(async error => {
    await stop()
    throw error
  })
  return { state, members, identity, files, stop }
}

function stateOf(members: MemberSpec[], version: string, quotaBytes: number): ClusterState {
  const spec: ClusterSpec = {
    name: 'bench',
    version,
    image: '',
    keyType: 'ecdsa-p256',
    ports: { client: 2379, peer: 2380, metrics: 2381 },
    tuning: { quotaBytes, heartbeatMs: 100, electionMs: 1000, snapshotCount: 10_000, extraArgs: [] },
    consumers: [],
    members,
  }
  return {
    spec,
    token: `bench-${process.pid}`,
    formed: false,
    members: Object.fromEntries(members.map(({ name }) => [name, { generation: 1, version }])),
  }
}

async function certificates(folder: string) {
  await mkdir(folder, { recursive: true })
  const { certificate: ca, key } = createAuthority('bench', { days: 1 })
  const signer = { certificate: ca, key: createPrivateKey(key) }
  const admin = issue(signer, { commonName: 'admin', usages: ['client'], days: 1 })
  const files = {
    ca: join(folder, 'ca.crt'),
    certificate: join(folder, 'admin.crt'),
    key: join(folder, 'admin.key'),
  }
  await writeFile(files.ca, ca)
  await writeFile(files.certificate, admin.certificate)
  await writeFile(files.key, admin.key, { mode: 0o600 })
  const leafFor = ({ name, address }: MemberSpec) => {
    // etcd dials from 127.0.0.1 whatever it listens on: its SetMemberLocalAddr passes over addresses of loopback.
    const names = [address, '127.0.0.1']
    const leaf = issue(signer, { commonName: name, usages: ['server', 'client'], names, days: 1 })
    return leaf.certificate + leaf.key
  }
  return { identity: { ca, ...admin }, files, leafFor }
}

async function start(program: string, args: string[], logFile: string) {
  const log = await open(logFile, 'a')
  const child = spawn(program, args, { stdio: ['ignore', log.fd, log.fd] })
  await once(child, 'spawn')
  await log.close()
  const exited = once(child, 'exit')
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill()
      await exited
    },
  }
}

async function ready(client: EtcdClient): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const ok = await client.readiness({ timeoutMs: 1000 }).then(
      answer => answer.ready,
      () => false,
    )
    if (ok) return
    await pause(100)
  }
  throw new Error(`${client.endpoint} does not become ready`)
}
