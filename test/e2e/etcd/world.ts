import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { stderr } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { adminIdentity } from '../../../src/etcd/certificates.ts'
import { createEtcdClient } from '../../../src/etcd/client/gateway.ts'
import type { ClientIdentity, EtcdClient } from '../../../src/etcd/client/types.ts'
import { type ClusterSpec, clientUrl } from '../../../src/etcd/cluster.ts'
import { readState } from '../../../src/etcd/state.ts'
import { createDirectoryStore } from '../../../src/etcd/store/directory.ts'
import { type EngineMachine, openSandbox } from '../../sandbox/index.ts'
import type { RunResult } from '../../setup/run.ts'
import { openWorld, type World } from '../plugin.ts'
import { createFaults, type Faults } from './faults.ts'
import { type Ledger, type LedgerReport, sentence, startLedger } from './ledger.ts'

/** An etcd cluster on the sandbox's machines, each a Docker engine; members have the machines' names. */
export interface EtcdTestWorld extends Pick<World, 'sandbox' | 'karmadaNet' | 'runUntil'>, Faults {
  cluster: string
  /** The plugin's state folder; KARMADA_NET_STATE of every command. */
  state: string
  machines: EngineMachine[]
  /** `NAME=ADDRESS,docker=HOST` of one machine: what `etcd member add` wants. */
  memberOf(machine: string): string
  /** `etcd up CLUSTER --member ...` with the first `count` machines. Throws with what it said when it fails. */
  up(count?: number, more?: string): Promise<RunResult>
  /** What the plugin remembers of the cluster. Throws when there is nothing. */
  spec(): Promise<ClusterSpec>
  /** As the admin, over the JSON gateway of one member. */
  client(machine: string): EtcdClient
  identity(): Promise<ClientIdentity>
  /** The member that at least two members call the leader. Waits for it. */
  leader(): Promise<string>
  /** Gives this member the leadership, and waits until it has it. */
  lead(machine: string): Promise<void>
  /** Names of the members that follow. */
  followers(): Promise<string[]>
  /** Starts writing to all that are members now; the caller ends it: `await using`. */
  write(options?: { putsPerSecond?: number }): Promise<Ledger>
  /** Writes while `work` runs and a moment longer, then reads everything back. Prints the ledger's sentence. */
  underWrites(work: (ledger: Ledger) => Promise<void>, options?: { putsPerSecond?: number }): Promise<LedgerReport>
  /** `docker -H MACHINE'S ENGINE ...`: what it printed. */
  docker(machine: string, ...words: string[]): Promise<string>
  /** Removes every member with its data from all machines, ends every fault, and forgets the cluster. */
  clean(): Promise<void>
}

const folder = 'etcd-state'

/** `cluster`: its name; each test file has one of its own. `more`: as `openWorld`. */
export async function openEtcdWorld(cluster: string, more: Record<string, string> = {}): Promise<EtcdTestWorld> {
  const { dir, machines } = await openSandbox()
  const state = join(dir, folder, cluster)
  const { sandbox, karmadaNet, runUntil } = await openWorld({ KARMADA_NET_STATE: state, ...more })
  const store = createDirectoryStore(join(state, 'etcd', cluster))
  const identity = () => adminIdentity(store)
  const docker = async (machine: string, ...words: string[]) =>
    (await sandbox.exec(['docker', '-H', sandbox.machine(machine).docker, ...words])).stdout.trim()

  const world: EtcdTestWorld = {
    ...{ cluster, sandbox, karmadaNet, runUntil, state, machines, identity, docker },
    ...createFaults(sandbox, { cluster, docker }),
    memberOf(name) {
      const { address, docker } = sandbox.machine(name)
      return `${name}=${address},docker=${docker}`
    },
    async up(count = 3, more = '') {
      const members = machines.slice(0, count).map(({ name }) => `--member ${world.memberOf(name)}`)
      const run = await karmadaNet(['etcd up', cluster, ...members, more].join(' ').trim())
      if (run.code !== 0) throw new Error(`etcd up: exit ${run.code}\n${run.stdout}${run.stderr}`)
      return run
    },
    async spec() {
      const known = await readState(store)
      if (!known) throw new Error(`nothing is remembered of ${cluster} in ${state}`)
      return known.spec
    },
    client: name => createEtcdClient(`https://${sandbox.machine(name).address}:2379`, identity, { timeoutMs: 2000 }),
    async leader() {
      const names = (await world.spec()).members.map(({ name }) => name)
      const deadline = performance.now() + 60_000
      for (;;) {
        const found = await leaderAmong(names.map(name => ({ name, client: world.client(name) })))
        if (found) return found
        if (performance.now() > deadline) throw new Error(`no leader among ${names.join(', ')}`)
        await sleep(200)
      }
    },
    async lead(machine) {
      const ask = async <T>(name: string, question: (client: EtcdClient) => Promise<T>) => {
        const client = world.client(name)
        return question(client).finally(() => client.close())
      }
      const { id } = await ask(machine, client => client.status())
      const leader = await world.leader()
      if (leader !== machine) await ask(leader, client => client.moveLeader(id))
      while ((await world.leader()) !== machine) await sleep(200)
    },
    async followers() {
      const leader = await world.leader()
      return (await world.spec()).members.map(({ name }) => name).filter(name => name !== leader)
    },
    async write(options) {
      const spec = await world.spec()
      return startLedger({ endpoints: spec.members.map(member => clientUrl(member, spec)), identity, ...options })
    },
    async underWrites(work, options) {
      await using ledger = await world.write(options)
      await ledger.nextAck()
      await work(ledger)
      await ledger.nextAck()
      const report = await ledger.report()
      stderr.write(`  ${sentence(report)}\n`)
      return report
    },
    async clean() {
      for (const { name } of machines) await world.mend(name)
      await Promise.all(machines.map(({ name }) => removeMembers(words => docker(name, ...words))))
      await rm(state, { recursive: true, force: true })
    },
  }
  return world
}

/** Two that name the same one, or the only member there is. */
async function leaderAmong(members: { name: string; client: EtcdClient }[]): Promise<string | undefined> {
  const statuses = await Promise.all(
    members.map(async ({ name, client }) => {
      const status = await client.status().catch(() => undefined)
      client.close()
      return { name, status }
    }),
  )
  const leaders = statuses.map(({ status }) => status?.leader)
  const agreed = statuses.find(
    ({ status }) => status && leaders.filter(leader => leader === status.id).length >= Math.min(2, members.length),
  )
  return agreed?.name
}

async function removeMembers(docker: (words: string[]) => Promise<string>): Promise<void> {
  const ours = ['--quiet', '--filter', 'label=app.kubernetes.io/managed-by=kubectl-karmada-net']
  const containers = (await docker(['ps', '--all', ...ours])).split('\n').filter(Boolean)
  if (containers.length > 0) await docker(['rm', '--force', '--volumes', ...containers])
  const volumes = (await docker(['volume', 'ls', ...ours])).split('\n').filter(Boolean)
  if (volumes.length > 0) await docker(['volume', 'rm', '--force', ...volumes])
}
