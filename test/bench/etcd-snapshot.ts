/**
 * `etcd snapshot save` next to `etcdctl snapshot save`: the same member, a database of 1 GiB, both until the disk has it. The bars
 * are a throughput of at least etcdctl's, and 120 MB of memory at most.
 *
 *   npx node test/bench/etcd-snapshot.ts [MIB] [ROUNDS] [FOLDER]
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { argv, execPath, stderr, stdout } from 'node:process'
import { bundle } from '../../src/build/bundle.ts'
import type { EtcdClient } from '../../src/etcd/client/types.ts'
import { ensureComponents, versions } from '../setup/components.ts'
import { createReport } from '../setup/report.ts'
import { type LocalEtcd, startLocalEtcd } from './local-etcd.ts'
import { median } from './paired.ts'

interface Side {
  name: string
  command(file: string): string[]
  env?: NodeJS.ProcessEnv
}

interface Round {
  bytesPerSecond: number
  rssBytes: number
  cpuSeconds: number
}

/** Linux's USER_HZ. */
const ticksPerSecond = 100
const mebibytes = Number(argv[2] ?? 1024)
const rounds = Number(argv[3] ?? 5)
const folder = await mkdtemp(join(argv[4] ?? tmpdir(), 'karmada-net-bench-'))
const programs = await ensureComponents(createReport())
const etcd = await startLocalEtcd(join(programs, 'etcd'), join(folder, 'etcd'), ['127.41.0.1'], {
  version: versions.etcd,
  quotaBytes: 8 * 2 ** 30,
})
try {
  const [member] = etcd.members
  if (member) await fill(member.client, mebibytes)
  const sides = await bothSides(etcd)
  const measured = sides.map(side => ({ side, done: [] as Round[] }))
  for (let round = -1; round < rounds; round++) {
    // The order turns, so that a busy moment of the machine hits both.
    for (const { side, done } of round % 2 === 0 ? measured : measured.toReversed()) {
      const result = await run(side, join(folder, 'snapshot.db'))
      if (round >= 0) done.push(result)
    }
  }
  print(measured)
} finally {
  await etcd.stop()
  await rm(folder, { recursive: true, force: true })
}

async function fill(client: EtcdClient, count: number): Promise<void> {
  stderr.write(`writing ${count} MiB\n`)
  let next = 0
  const write = async () => {
    while (next < count) await client.put(`/bench/${next++}`, randomBytes(2 ** 20), { timeoutMs: 60_000 })
  }
  await Promise.all([write(), write(), write(), write()])
}

async function bothSides({ state, identity, files }: LocalEtcd): Promise<Side[]> {
  const plugin = join(folder, 'kubectl-karmada_net')
  await bundle({ outfile: plugin })
  const kept = {
    'cluster.json': JSON.stringify({ ...state, formed: true }),
    'ca.crt': identity.ca,
    'clients/admin.crt': identity.certificate,
    'clients/admin.key': identity.key,
  }
  for (const [name, text] of Object.entries(kept)) {
    const path = join(folder, 'state/etcd', state.spec.name, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text, { mode: 0o600 })
  }
  const { ca, certificate, key } = files
  const login = ['--endpoints=https://127.41.0.1:2379', `--cacert=${ca}`, `--cert=${certificate}`, `--key=${key}`]
  return [
    { name: 'etcdctl', command: file => [join(programs, 'etcdctl'), ...login, 'snapshot', 'save', file] },
    {
      name: 'etcd snapshot save',
      command: file => [execPath, plugin, 'etcd', 'snapshot', 'save', file, '--state', join(folder, 'state')],
    },
  ]
}

async function run({ name, command }: Side, file: string): Promise<Round> {
  await rm(file, { force: true })
  const [program = '', ...args] = command(file)
  const started = performance.now()
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', text => {
    said += text
  })
  let rssBytes = 0
  let cpuSeconds = 0
  const timer = setInterval(async () => {
    const [status, line] = await Promise.all(['status', 'stat'].map(file => ofProcess(child.pid, file)))
    // The kernel's own high-water mark: nothing is missed between two looks.
    rssBytes = Math.max(rssBytes, Number(/VmHWM:\s+(\d+) kB/.exec(status ?? '')?.[1] ?? 0) * 1024)
    const [user = 0, system = 0] = (line ?? '')
      .slice((line ?? '').lastIndexOf(')'))
      .split(' ')
      .slice(12, 14)
      .map(Number)
    cpuSeconds = Math.max(cpuSeconds, (user + system) / ticksPerSecond)
  }, 20)
  const [status] = (await once(child, 'exit')) as [number | null]
  const seconds = (performance.now() - started) / 1000
  clearInterval(timer)
  if (status !== 0) throw new Error(`${name} exited with ${status}: ${said.trim()}`)
  return { bytesPerSecond: (await stat(file)).size / seconds, rssBytes, cpuSeconds }
}

function ofProcess(pid: number | undefined, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
}

function print(measured: readonly { side: Side; done: Round[] }[]): void {
  const [reference] = measured
  const mega = (bytes: number) => (bytes / 1e6).toFixed(0)
  stdout.write(
    `${''.padEnd(20)}${['MB/s', 'best', 'ratio', 'CPU', 'peak RSS'].map(head => head.padStart(10)).join('')}\n`,
  )
  for (const { side, done } of measured) {
    const speeds = done.map(each => each.bytesPerSecond)
    const ratios = speeds.map((speed, round) => speed / (reference?.done[round]?.bytesPerSecond ?? Number.NaN))
    const rss = `${mega(Math.max(...done.map(each => each.rssBytes)))} MB`
    const cpu = `${median(done.map(each => each.cpuSeconds)).toFixed(1)} s`
    const cells = [mega(median(speeds)), mega(Math.max(...speeds)), median(ratios).toFixed(2), cpu, rss]
    stdout.write(`${side.name.padEnd(20)}${cells.map(cell => cell.padStart(10)).join('')}\n`)
  }
  const load = `${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} processors`
  stdout.write(`${mebibytes} MiB, ${rounds} rounds; load ${load}\n`)
}
