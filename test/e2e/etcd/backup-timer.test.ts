import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bootSystemd, type Systemd } from './systemd.ts'
import { openEtcdWorld } from './world.ts'

const etcd = await openEtcdWorld('timed')
const { cluster, karmadaNet, sandbox } = etcd
const [machine] = etcd.machines
if (!machine) throw new Error('the sandbox has no machines')
const timer = `karmada-net-etcd-backup-${cluster}.timer`
const service = timer.replace('.timer', '.service')
/** On the machine that takes the backups. */
const state = '/var/lib/karmada-net-state'
const folder = '/var/lib/karmada-net-backups'
/** The plugin and its Node, where the machine sees them: a checkout may lie below a folder that it has of its own. */
const programs = '/var/lib/karmada-net-programs'
const plugin = [`${programs}/node`, `${programs}/kubectl-karmada_net`]
let systemd: Systemd

async function clean(): Promise<void> {
  await machine?.exec([
    'sh',
    '-c',
    `rm -rf ${state} ${folder} ${programs} /etc/systemd/system/*${cluster}* /etc/systemd/system/*/*${cluster}*`,
  ])
}

beforeAll(async () => {
  await etcd.clean()
  await clean()
  // Before there is a container: its file system, seen from another mount namespace, could not be removed.
  systemd = await bootSystemd(sandbox.name, machine, {})
  await etcd.up(1)
  await cp(etcd.state, machine.path(state), { recursive: true })
  await cp(execPath, machine.path(`${programs}/node`))
  await cp(
    join(import.meta.dirname, '../../../dist/kubectl-karmada_net'),
    machine.path(`${programs}/kubectl-karmada_net`),
  )
})
afterAll(async () => {
  await systemd?.[Symbol.asyncDispose]()
  await clean()
  await etcd.clean()
})

/** The plugin, where systemd runs. */
const there = (words: string) => systemd.exec([...plugin, ...words.split(' '), '--state', state])
const systemctl = async (...words: string[]) => (await systemd.exec(['systemctl', ...words])).stdout.trim()
const property = (unit: string, name: string) => systemctl('show', '--value', `--property=${name}`, unit)
const files = async () => (await readdir(machine.path(folder))).sort()

test('a timer is installed and runs, and systemd has nothing to say against it', async () => {
  const run = await there(`etcd snapshot save --every 6h --directory ${folder} --keep 2`)
  expect(run.stderr).toContain(`${timer} on this machine`)
  for (const unit of [timer, service]) {
    const verified = await systemd.exec(['systemd-analyze', 'verify', `/etc/systemd/system/${unit}`])
    expect(verified.stdout + verified.stderr).toBe('')
  }
  // Of 100: below 30 is little exposed; Node's compiler needs memory that it writes and runs.
  await systemd.exec(['systemd-analyze', 'security', '--threshold=30', service])
  expect(await systemctl('is-active', timer)).toBe('active')
  expect(await systemctl('is-enabled', timer)).toBe('enabled')
  expect(await property(timer, 'Persistent')).toBe('yes')
  const [, calendar = ''] = /OnCalendar=([^;]+) ;/.exec(await property(timer, 'TimersCalendar')) ?? []
  expect((await systemd.exec(['systemd-analyze', 'calendar', calendar])).stdout).toContain('Next elapse: ')
})

test.each(['15m', '1h', '7d', '0 9-17/2 * * mon-fri', '30 3 1,15 * *', '0 0 29 2 *', '* * * * *'])(
  'systemd understands what becomes of %s',
  async every => {
    const { stdout } = await systemd.exec([
      ...plugin,
      'etcd',
      'snapshot',
      'save',
      '--every',
      every,
      '--dry-run',
      '--state',
      state,
    ])
    const [, calendar = ''] = /^OnCalendar=(.*)$/m.exec(stdout) ?? []
    expect((await systemd.exec(['systemd-analyze', 'calendar', calendar])).stdout).toContain('Next elapse: ')
  },
)

test('again it changes nothing', async () => {
  const run = await there(`etcd snapshot save --every 6h --directory ${folder} --keep 2`)
  expect(run.stderr).toContain('Nothing to do')
})

test('its service takes a snapshot that is whole, and the newest two stay', async () => {
  const seen: string[][] = []
  for (let run = 0; run < 3; run++) {
    // Two within a second, of the same data, would be one.
    await etcd.client(machine.name).put('/timed/run', String(run))
    await systemctl('start', service)
    seen.push(await files())
  }
  expect(seen.map(({ length }) => length)).toEqual([1, 2, 2])
  expect(seen[2]).not.toContain(seen[0]?.[0])
  for (const file of await files()) {
    expect(await karmadaNet(`etcd snapshot status ${machine.path(join(folder, file))}`)).toSucceed()
  }
  const status = await there('etcd status')
  expect(status.stderr).toMatch(/newest backup \d+s old/)
  expect(status.stderr).not.toContain('overdue')
})

test('while etcd is away it fails, and removes nothing', async () => {
  const before = await files()
  await etcd.stop(machine.name)
  await expect(systemctl('start', service)).rejects.toThrow()
  expect(await property(service, 'Result')).toBe('exit-code')
  expect((await systemd.exec(['journalctl', '-u', service, '-n', '20', '--no-pager'])).stdout).toContain(
    'no member can give a snapshot',
  )
  expect(await files()).toEqual(before)
  await etcd.docker(machine.name, 'start', `karmada-net-etcd-${cluster}-${machine.name}`)
})

test('"never" removes the timer and leaves the snapshots', async () => {
  const before = await files()
  await there('etcd snapshot save --every never')
  expect((await systemd.exec(['sh', '-c', 'ls /etc/systemd/system'])).stdout).not.toContain(cluster)
  expect(await systemctl('list-timers', '--all')).not.toContain(cluster)
  expect(await files()).toEqual(before)
  expect((await there('etcd snapshot save --every never')).stderr).toContain('not scheduled any more')
})

test('without systemd it says what can be done: units in a folder, for somebody else', async () => {
  const out = await mkdtemp(join(tmpdir(), 'karmada-net-units-'))
  expect(await karmadaNet(`etcd snapshot save --every 5h --out ${out}`)).toFailWith('must divide', { hint: '4h, 6h' })
  const run = await karmadaNet(`etcd snapshot save --every 6h --out ${out}`)
  expect(run).toSucceed()
  expect(run.stderr).toContain(`systemctl enable --now ${timer}`)
  expect((await readdir(out)).sort()).toEqual([service, timer])
  expect(await karmadaNet('etcd snapshot save --every never')).toSucceed()
  await rm(out, { recursive: true })
})

test('of a cluster that is named by its addresses alone', async () => {
  const out = await mkdtemp(join(tmpdir(), 'karmada-net-endpoints-'))
  expect(await karmadaNet(`etcd certs export admin --out ${out}`)).toSucceed()
  const named = `--endpoints https://${machine.address}:2379 --ca-file ${out}/ca.crt --cert-file ${out}/tls.crt --key-file ${out}/tls.key`
  const save = (words: string) => karmadaNet(`etcd snapshot save --state /nowhere --kubeconfig /nowhere ${words}`)
  expect((await save(`--etcd other --directory ${out}/new ${named} --dry-run`)).stdout).toContain(
    'other-REVISION-DATE.db',
  )
  const run = await save(`--etcd other --directory ${out}/new --keep 1 ${named}`)
  expect(run).toSucceed()
  expect(run.stdout).toMatch(/\/new\/other-\d+-\w+\.db\n$/)
  expect(await save(`${out}/a.db --endpoints https://${machine.address}:2379`)).toFailWith('--ca-file')
  expect(await save(`${out}/a.db ${named.replace('https', 'http')}`)).toFailWith('is no endpoint of etcd over TLS')
  await rm(out, { recursive: true })
})
