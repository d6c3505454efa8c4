import { spawnSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { memberFiles } from '../../../../../src/etcd/certificates.ts'
import { type FilesSpec, type MemberSpec, peerUrl } from '../../../../../src/etcd/cluster.ts'
import type { Launch } from '../../../../../src/etcd/drivers/driver.ts'
import { environmentFile } from '../../../../../src/etcd/drivers/files/environment.ts'
import { createFilesDriver } from '../../../../../src/etcd/drivers/files/index.ts'
import { specFrom } from '../../../../../src/etcd/inventory/index.ts'
import { launchOf } from '../../../../../src/etcd/launch.ts'
import { createAuthority } from '../../../../../src/pki/certificate.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'karmada-net-files-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const memberOf = (run: FilesSpec['run'] = 'systemd', name = 'm1'): MemberSpec => ({
  name,
  address: '10.0.0.1',
  site: name,
  driver: { kind: 'files', directory, run },
})
const driverOf = (run?: FilesSpec['run'], cluster = 'blue', name?: string) =>
  createFilesDriver(cluster, memberOf(run, name))

interface Change {
  generation?: number
  version?: string
  state?: 'new' | 'existing'
  heartbeatMs?: number
}

function launchFor(cluster: string, member: MemberSpec, change: Change = {}): Launch {
  const { generation = 1, version = '3.6.16', state = 'new', heartbeatMs = 100 } = change
  const spec = specFrom({ name: cluster, members: [member], version, tuning: { heartbeatMs } })
  return launchOf(
    { spec, token: 'token', formed: state === 'existing', members: { [member.name]: { generation, version } } },
    member,
    createFilesDriver(cluster, member).paths,
    { state, members: [{ name: member.name, peerUrl: peerUrl(member, spec) }] },
  )
}

const authority = createAuthority('test', { days: 10 })
const certificates = memberFiles(authority, memberOf(), 'ecdsa-p256')

const inFolder = (path: string, member = 'm1') => join(directory, member, path)
const read = (path: string) => readFile(inFolder(path), 'utf8')
const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)
/** What a copy to the machine would see as changed: times of all files. */
async function times(): Promise<Record<string, number>> {
  const names = await readdir(join(directory, 'm1'), { recursive: true })
  const entries = names.map(async name => [name, (await stat(inFolder(name))).mtimeMs] as const)
  return Object.fromEntries((await Promise.all(entries)).filter(([name]) => name !== 'pki'))
}

describe('a member of systemd', () => {
  beforeEach(async () => {
    expect(await driverOf().deliver(certificates)).toBe(true)
    expect(await driverOf().start(launchFor('blue', memberOf()))).toBe(true)
  })

  test('gets a folder that is its owner’s alone', async () => {
    expect((await readdir(join(directory, 'm1'), { recursive: true })).sort()).toEqual([
      '.karmada-net.json',
      'README.md',
      'etcd-blue.service',
      'etcd.env',
      'etcd.sysusers',
      'pki',
      'pki/ca.crt',
      'pki/peer.pem',
      'pki/server.pem',
    ])
    expect(await mode(join(directory, 'm1'))).toBe('700')
    for (const file of ['pki/ca.crt', 'pki/peer.pem', 'pki/server.pem', 'etcd.env'])
      expect(await mode(inFolder(file))).toBe('600')
  })

  test('nothing is left of the member that the unit is written for', async () => {
    const unit = await read('etcd-blue.service')
    expect(unit).not.toMatch(/sample/)
    expect(unit).toContain('Description=etcd, member m1 of blue\n')
    expect(unit).toContain('ExecStart=/opt/etcd/v3.6.16/etcd\n')
    expect(unit).toContain('EnvironmentFile=/etc/etcd-blue/etcd.env\n')
    expect(unit).toContain('StateDirectory=etcd-blue\n')
  })

  test('no key is anywhere but in its pem files', async () => {
    for (const name of await readdir(join(directory, 'm1'))) {
      if (name !== 'pki') expect(await read(name)).not.toContain('PRIVATE KEY')
    }
    expect(JSON.stringify(await driverOf().inspect())).not.toContain('PRIVATE KEY')
    const pem = await read('pki/server.pem')
    expect(new X509Certificate(pem).checkPrivateKey(createPrivateKey(pem))).toBe(true)
  })

  test('inspect tells what was written', async () => {
    const found = await driverOf().inspect()
    expect(found).toMatchObject({ state: 'stopped', launch: launchFor('blue', memberOf()) })
    expect(found.delivered?.['ca.crt']).toBe(authority.certificate)
    expect(certificates['server.pem'].startsWith(found.delivered?.['server.pem'] ?? 'nothing')).toBe(true)
  })

  test('a second run changes nothing', async () => {
    const before = await times()
    expect(await driverOf().deliver(certificates)).toBe(false)
    expect(await driverOf().start(launchFor('blue', memberOf()))).toBe(false)
    expect(await times()).toEqual(before)
  })

  test('another flag changes its environment and nothing else', async () => {
    const before = await times()
    expect(await driverOf().start(launchFor('blue', memberOf(), { heartbeatMs: 150 }))).toBe(true)
    const after = await times()
    const changed = Object.keys(after).filter(name => after[name] !== before[name])
    expect(changed.sort()).toEqual(['.karmada-net.json', 'etcd.env'])
    expect(await read('etcd.env')).toContain('ETCD_HEARTBEAT_INTERVAL="150"\n')
  })

  test('another version changes the unit, another life the data directory', async () => {
    await driverOf().start(launchFor('blue', memberOf(), { version: '3.6.17', generation: 2, state: 'existing' }))
    expect(await read('etcd-blue.service')).toContain('ExecStart=/opt/etcd/v3.6.17/etcd\n')
    expect(await read('etcd.env')).toContain('ETCD_DATA_DIR="/var/lib/etcd-blue/generation-2"\n')
    expect(await read('etcd.env')).toContain('ETCD_INITIAL_CLUSTER_STATE="existing"\n')
  })

  test('a cluster that has formed leaves alone what counts at the first start only', async () => {
    expect(await driverOf().start(launchFor('blue', memberOf(), { state: 'existing' }))).toBe(false)
    expect(await read('etcd.env')).toContain('ETCD_INITIAL_CLUSTER_STATE="new"\n')
  })

  test.each([
    ['changed', () => writeFile(inFolder('etcd.env'), 'ETCD_NAME=other\n')],
    ['removed', () => rm(inFolder('etcd.env'))],
    ['opened to all', () => chmod(inFolder('etcd.env'), 0o644)],
  ])('a file that somebody %s is put back', async (_, change) => {
    const before = await read('etcd.env')
    await change()
    expect(await driverOf().start(launchFor('blue', memberOf()))).toBe(true)
    expect(await read('etcd.env')).toBe(before)
    expect(await mode(inFolder('etcd.env'))).toBe('600')
  })

  test.each([
    ['a file is gone', () => rm(inFolder('pki/peer.pem'))],
    ['a key is gone', () => writeFile(inFolder('pki/peer.pem'), authority.certificate)],
    [
      'a key is another’s',
      () => writeFile(inFolder('pki/peer.pem'), certificates['peer.pem'].replace(/-----BEGIN P[\s\S]*/, authority.key)),
    ],
  ])('certificates do not count as delivered when %s', async (_, change) => {
    await change()
    expect((await driverOf().inspect()).delivered).toBeUndefined()
  })

  test('what a run that was killed left half written goes with the next', async () => {
    await writeFile(inFolder('pki/.draft-1'), certificates['server.pem'])
    await writeFile(inFolder('.draft-2'), '')
    await driverOf().deliver(certificates)
    await driverOf().start(launchFor('blue', memberOf()))
    const names = await readdir(join(directory, 'm1'), { recursive: true })
    expect(names.filter(name => name.includes('draft'))).toEqual([])
  })

  test('run as a static pod instead, the unit is gone', async () => {
    expect(await driverOf('static-pod').start(launchFor('blue', memberOf('static-pod')))).toBe(true)
    expect((await readdir(join(directory, 'm1'))).sort()).toEqual([
      '.karmada-net.json',
      'README.md',
      'etcd-blue.yaml',
      'pki',
    ])
  })

  test('what it cannot do itself it says', async () => {
    const driver = driverOf()
    await expect(driver.restart()).rejects.toMatchObject({
      message: 'm1 was installed from files: only you can restart it, on 10.0.0.1',
      hint: 'there: systemctl restart etcd-blue   then the same command again',
    })
    expect(await driver.logs(7)).toBe('on 10.0.0.1: journalctl -u etcd-blue -n 7 --no-pager\n')
  })

  test('removed, its folder is gone, but not what somebody else put there', async () => {
    expect(await driverOf().remove({ keepData: false })).toBe(true)
    expect(await readdir(directory)).toEqual([])
    expect(await driverOf().remove({ keepData: false })).toBe(false)
    await driverOf().deliver(certificates)
    await writeFile(inFolder('notes.txt'), 'mine')
    await driverOf().remove({ keepData: false })
    expect(await readdir(join(directory, 'm1'))).toEqual(['notes.txt'])
  })
})

describe('to stop it', () => {
  const written = async (port: number) => {
    const local = { ...memberOf(), address: '127.0.0.1' }
    const driver = createFilesDriver('blue', local)
    const launch = launchFor('blue', local)
    await driver.start({ ...launch, args: launch.args.map(arg => arg.replace(/(advertise.*:)2379$/, `$1${port}`)) })
    return driver
  }

  test('is its owner’s while it takes connections, and nobody’s once it does not', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const driver = await written((server.address() as AddressInfo).port)
    await expect(driver.stop()).rejects.toMatchObject({
      message: 'm1 was installed from files: only you can stop it, on 127.0.0.1',
      hint: 'there: systemctl stop etcd-blue   then the same command again',
    })
    server.close()
    await once(server, 'close')
    expect(await driver.stop()).toBe(false)
  })

  test('there is nothing to do before it was written', async () => expect(await driverOf().stop()).toBe(false))
})

test('a static pod runs the same command line from the same places', async () => {
  const member = memberOf('static-pod')
  await driverOf('static-pod').start(launchFor('blue', member))
  const text = await read('etcd-blue.yaml')
  expect(text).not.toMatch(/sample/)
  const launch = launchFor('blue', member)
  expect(load(text)).toMatchObject({
    metadata: { name: 'etcd-blue', labels: { 'app.kubernetes.io/instance': 'blue' } },
    spec: {
      hostNetwork: true,
      containers: [
        {
          image: 'gcr.io/etcd-development/etcd:v3.6.16',
          args: [...launch.args, ...launch.bootstrapArgs],
          volumeMounts: [{ mountPath: '/var/lib/etcd-blue' }, { mountPath: '/etc/etcd-blue/pki', readOnly: true }],
        },
      ],
    },
  })
})

test.each(['systemd', 'static-pod'] as const)('all commands of the README of a %s are sound', async run => {
  await driverOf(run).start(launchFor('blue', memberOf(run)))
  const blocks = [...(await read('README.md')).matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block ?? '')
  expect(blocks).toHaveLength(run === 'systemd' ? 5 : 4)
  for (const block of blocks) expect(spawnSync('sh', ['-n'], { input: block, encoding: 'utf8' }).stderr).toBe('')
  expect(blocks.join('')).not.toMatch(/undefined|sample|object/)
  expect(blocks[0]).toContain('ssh root@10.0.0.1 ')
})

describe.each(['systemd', 'static-pod'] as const)('to put back a member of a %s', run => {
  const launch = () => launchFor('blue', memberOf(run), { generation: 2, state: 'existing' })
  const args = (snapshot: string) => ['snapshot', 'restore', snapshot, '--data-dir=/var/lib/etcd-blue/generation-2']
  async function* snapshot() {
    yield Buffer.from('a snap')
    yield Buffer.from('shot')
  }
  const flags = run === 'systemd' ? 'etcd.env' : 'etcd-blue.yaml'
  beforeEach(async () => {
    await driverOf(run).deliver(certificates)
    await driverOf(run).start(launchFor('blue', memberOf(run)))
  })

  test('its folder gets the snapshot, a sound script and the flags of its next life', async () => {
    const before = await read(flags)
    await driverOf(run).etcdutl(launch(), args, snapshot(), 10)
    expect((await readdir(join(directory, 'm1/restore'))).sort()).toEqual([flags, 'restore.sh', 'snapshot.db'])
    expect(await read('restore/snapshot.db')).toBe('a snapshot')
    expect(await mode(inFolder('restore/snapshot.db'))).toBe('600')
    const script = await read('restore/restore.sh')
    expect(spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' }).stderr).toBe('')
    expect(script).not.toMatch(/undefined|object/)
    expect(script).toMatch(/etcdutl snapshot restore \S+\/snapshot.db --data-dir=\S+generation-2\.part\n/)
    expect(await read(`restore/${flags}`)).toContain('/var/lib/etcd-blue/generation-2')
    // Installed before it is restored, they would have it begin empty.
    expect(await read(flags)).toBe(before)
    expect((await driverOf(run).inspect()).launch?.generation).toBe(1)
  })

  test('restored, its files say so, and the snapshot is gone', async () => {
    await driverOf(run).etcdutl(launch(), args, snapshot(), 10)
    expect(await driverOf(run).start(launch())).toBe(true)
    expect(await read(flags)).toContain('/var/lib/etcd-blue/generation-2')
    expect(await readdir(join(directory, 'm1'))).not.toContain('restore')
  })

  test('removed with the rest', async () => {
    await driverOf(run).etcdutl(launch(), args, snapshot(), 10)
    await driverOf(run).remove({ keepData: false })
    expect(await readdir(directory)).toEqual([])
  })

  test('one that is cut off leaves nothing that could be taken for a snapshot', async () => {
    await expect(driverOf(run).etcdutl(launch(), args, snapshot(), 11)).rejects.toThrow('has 10 bytes, not 11')
    expect(await readdir(join(directory, 'm1/restore'))).toEqual([])
  })

  test('what is to be done is said so that it can be pasted', () => {
    expect(driverOf(run).todo?.('restore')).toBe(
      `m1: copy ${join(directory, 'm1')} to 10.0.0.1 (its README, step 1), then there, in it: sh restore/restore.sh`,
    )
    expect(driverOf(run).todo?.('stop')).toBe(
      `m1: on 10.0.0.1: ${run === 'systemd' ? 'systemctl stop etcd-blue' : 'mv /etc/kubernetes/manifests/etcd-blue.yaml /etc/kubernetes/etcd-blue.yaml'}`,
    )
  })
})

test('a cluster that is called as the member of the example is not mixed up with it', async () => {
  const member = memberOf('systemd', 'sample')
  await driverOf('systemd', 'm1', 'sample').start(launchFor('m1', member))
  const unit = await readFile(inFolder('etcd-m1.service', 'sample'), 'utf8')
  expect(unit).toContain('Description=etcd, member sample of m1\n')
  expect(unit).toContain('StateDirectory=etcd-m1\n')
})

describe('a folder that is not ours', () => {
  test.each([
    [
      'a file of somebody',
      'notes.txt',
      'mine',
      () => `${join(directory, 'm1')} holds notes.txt, which this plugin did not write`,
    ],
    [
      'another cluster’s member',
      '.karmada-net.json',
      '{"managedBy":"kubectl-karmada-net","cluster":"red","member":"m1"}',
      () => `${join(directory, 'm1')} belongs to member m1 of etcd red`,
    ],
    ['a damaged record', '.karmada-net.json', '{', () => `${join(directory, 'm1/.karmada-net.json')} is damaged`],
  ])('with %s is left alone', async (_, name, text, why) => {
    await mkdir(join(directory, 'm1'))
    await writeFile(inFolder(name), text)
    expect(await driverOf().inspect()).toEqual({ state: 'absent', foreign: why() })
    await expect(driverOf().deliver(certificates)).rejects.toThrow(why())
    await expect(driverOf().start(launchFor('blue', memberOf()))).rejects.toThrow(why())
    expect(await driverOf().remove({ keepData: false })).toBe(false)
    expect(await readdir(join(directory, 'm1'))).toEqual([name])
  })

  test('an empty one may be used', async () => {
    await mkdir(join(directory, 'm1'))
    expect(await driverOf().inspect()).toEqual({ state: 'absent' })
    expect(await driverOf().deliver(certificates)).toBe(true)
  })
})

test.each([
  ['--name=m1', 'ETCD_NAME="m1"'],
  ['--initial-cluster=a=https://1:2,b=https://3:4', 'ETCD_INITIAL_CLUSTER="a=https://1:2,b=https://3:4"'],
  ['--strict-reconfig-check', 'ETCD_STRICT_RECONFIG_CHECK="true"'],
  ['--log-outputs=a"b\\c$d`e', 'ETCD_LOG_OUTPUTS="a\\"b\\\\c\\$d\\`e"'],
])('%s as a variable is %s', (arg, line) => {
  const launch = { ...launchFor('blue', memberOf()), args: [arg] }
  expect(environmentFile(launch, 'blue').split('\n')[1]).toBe(line)
})
