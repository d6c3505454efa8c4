import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { imageArchive } from '../../../src/build/image/archive.ts'
import { authorityOf, memberFiles } from '../../../src/etcd/certificates.ts'
import type { MemberSpec } from '../../../src/etcd/cluster.ts'
import { createDockerDriver } from '../../../src/etcd/drivers/docker/index.ts'
import { launchFor } from '../../../src/etcd/launch.ts'
import { readState } from '../../../src/etcd/state.ts'
import { createDirectoryStore } from '../../../src/etcd/store/directory.ts'
import { etcdSpecs } from '../../setup/images.ts'
import { eventually } from '../plugin.ts'
import { openEtcdWorld } from './world.ts'

const world = await openEtcdWorld('docker')
const { cluster, docker, karmadaNet, machines, sandbox, state } = world
const [first] = machines.map(({ name }) => name)
if (!first) throw new Error('the sandbox has no machines for etcd')
const machine = sandbox.machine(first)
const container = (name: string) => `karmada-net-etcd-${cluster}-${name}`
const store = createDirectoryStore(`${state}/etcd/${cluster}`)

beforeAll(() => world.clean())
afterAll(() => world.clean())

/** The driver of the first machine's member, as the plugin makes it. */
const driverOf = (spec: Partial<MemberSpec> = {}, env = process.env, signal = new AbortController().signal) =>
  createDockerDriver(cluster, memberOn(spec), { env, signal })
const memberOn = (spec: Partial<MemberSpec> = {}): MemberSpec => ({
  name: machine.name,
  address: machine.address,
  site: machine.name,
  driver: { kind: 'docker', host: machine.docker },
  ...spec,
})

/** Whatever of the cluster is on one machine. */
async function thingsOf(name: string): Promise<string[]> {
  const lists = await Promise.all([
    docker(name, 'ps', '--all', '--format', '{{.Names}}'),
    docker(name, 'volume', 'ls', '--format', '{{.Name}}'),
    docker(name, 'images', '--all', '--quiet', '--filter', 'label=app.kubernetes.io/managed-by=kubectl-karmada-net'),
  ])
  return lists.flatMap(list => list.split('\n').filter(Boolean)).toSorted()
}
const expected = (name: string, generation = 1) => [
  container(name),
  `${container(name)}-data-${generation}`,
  `${container(name)}-pki`,
]
const started = () =>
  Promise.all(
    machines
      .slice(0, 3)
      .map(({ name }) => docker(name, 'inspect', '-f', '{{.Id}} {{.State.StartedAt}}', container(name))),
  )

describe('three machines with nothing but an engine', () => {
  test("a container of somebody else's is left alone, and named", async () => {
    await docker(first, 'create', `--name=${container(first)}`, 'gcr.io/etcd-development/etcd:v3.6.16')
    await expect(world.up()).rejects.toThrow(`container "${container(first)}" was not made by this plugin`)
    await expect(driverOf().stop()).rejects.toThrow('was not made by this plugin')
    expect(await driverOf().remove({ keepData: false })).toBe(false)
    expect(await thingsOf(first)).toEqual([container(first)])
    await docker(first, 'rm', container(first))
  })

  test("so is a volume with somebody else's data", async () => {
    await docker(first, 'volume', 'create', `${container(first)}-data-1`)
    await expect(world.up()).rejects.toThrow(`volume "${container(first)}-data-1" was not made by this plugin`)
    expect(await thingsOf(first)).toEqual([`${container(first)}-data-1`])
    await docker(first, 'volume', 'rm', `${container(first)}-data-1`)
  })

  test('an image that is not there and cannot be pulled is said, with how to bring it', async () => {
    await expect(world.up(3, '--image=example.invalid/etcd')).rejects.toThrow(
      /no image example\.invalid\/etcd:v3\.6\.16, and it cannot be pulled: [\s\S]*docker save .* \| docker -H unix:.* load/,
    )
    await world.clean()
  })

  test.each(['Machines', 'Certificate authority', 'Certificates', '3.6.16\n'])(
    'Ctrl-C after "%s", then the same command',
    async line => {
      const members = machines.slice(0, 3).map(({ name }) => `--member ${world.memberOf(name)}`)
      const stopped = await world.runUntil(`etcd up ${cluster} ${members.join(' ')}`, new RegExp(line), ({ pid }) =>
        process.kill(pid, 'SIGINT'),
      )
      expect(stopped.code).not.toBe(0)
      await world.up()
      expect((await world.up()).stderr).toContain('Nothing to do')
      for (const { name } of machines.slice(0, 3)) expect(await thingsOf(name)).toEqual(expected(name))
      await world.clean()
    },
  )

  test('come up verified, and a second run changes nothing', async () => {
    expect((await world.up()).stderr).toContain(`etcd ${cluster} is up and verified`)
    const before = await started()
    expect((await world.up()).stderr).toContain('Nothing to do')
    expect(await started()).toEqual(before)
    for (const { name } of machines.slice(0, 3)) expect(await thingsOf(name)).toEqual(expected(name))
  })
})

describe('a member', () => {
  test('may do no more than it needs, and no key of it is where others could read it', async () => {
    const [info] = JSON.parse(await docker(first, 'inspect', container(first)))
    expect(info.HostConfig).toMatchObject({
      NetworkMode: 'host',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      CapAdd: null,
      Privileged: false,
      SecurityOpt: ['no-new-privileges'],
      RestartPolicy: { Name: 'unless-stopped' },
      LogConfig: { Config: { 'max-size': '10m', 'max-file': '3' } },
      Memory: 0,
    })
    expect(info.Config.User).toBe('65532:65532')
    expect(JSON.stringify(info)).not.toContain('PRIVATE KEY')
    const volume = `/var/lib/docker/volumes/${container(first)}-pki/_data`
    const { stdout } = await machine.exec(['sh', '-c', `grep -rl 'PRIVATE KEY' ${volume} | xargs stat -c '%a %u'`])
    expect(stdout.split('\n').filter(Boolean)).toEqual(['600 65532', '600 65532'])
  })

  test('gets new certificates while it serves; a handshake that meets the change succeeds when it is dialled again', async () => {
    const [authority, identity] = [await authorityOf(store), await world.identity()]
    const driver = driverOf()
    const serials = new Set<string>()
    const failures = new Set<string>()
    const handshake = () =>
      new Promise<boolean>(resolve => {
        const { certificate: cert, key } = identity
        const to = { host: machine.address, port: 2379, ca: authority.certificate, cert, key }
        const socket = connect(to, () => {
          serials.add(socket.getPeerCertificate().serialNumber)
          socket.destroy()
          resolve(true)
        })
        socket.once('error', error => {
          failures.add('code' in error ? String(error.code) : error.message)
          resolve(false)
        })
      })
    const shake = async () => {
      for (let tries = 1; !(await handshake()); tries++) if (tries === 20) throw new Error(`${tries} handshakes failed`)
    }
    let delivering = true
    const shaking = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (delivering) await shake()
      }),
    )
    for (let round = 0; round < 5; round++) {
      const files = memberFiles(authority, memberOn(), 'ecdsa-p256')
      expect(await driver.deliver(files)).toBe(true)
      expect(await driver.deliver(files)).toBe(false)
      expect((await driver.inspect()).delivered?.['server.pem']).toBe(certificatesIn(files['server.pem']))
    }
    delivering = false
    await shaking
    expect([...failures].filter(code => code !== 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR')).toEqual([])
    expect(serials.size).toBeGreaterThanOrEqual(5)
    const volume = `/var/lib/docker/volumes/${container(first)}-pki/_data`
    const { stdout } = await machine.exec(['sh', '-c', `grep -rl 'PRIVATE KEY' ${volume} | wc -l`])
    expect(stdout.trim()).toBe('2')
  })

  test('whose container was removed by hand comes back with its data', async () => {
    const value = randomBytes(16).toString('hex')
    const client = world.client(first)
    await client.put('/docker/test', value)
    await docker(first, 'rm', '--force', container(first))
    expect((await driverOf().inspect()).state).toBe('stopped')
    await world.up()
    expect((await client.range({ key: '/docker/test' })).kvs[0]?.value.toString()).toBe(value)
    client.close()
  })

  test('is stopped, started and restarted only where it is not so yet', async () => {
    const driver = driverOf()
    const launch = launchFor(await known(), memberOn(), driver)
    expect(await driver.start(launch)).toBe(false)
    expect(await driver.stop()).toBe(true)
    expect(await driver.inspect()).toMatchObject({ state: 'stopped', said: undefined })
    expect(await driver.stop()).toBe(false)
    expect(await driver.start(launch)).toBe(true)
    const before = (await started())[0]
    await driver.restart()
    expect((await started())[0]).not.toBe(before)
    await docker(first, 'pause', container(first))
    expect(await driver.inspect()).toMatchObject({ state: 'stopped', said: 'paused' })
    expect(await driver.start(launch)).toBe(true)
    expect((await driver.inspect()).state).toBe('running')
  })

  test('that cannot run says why, and runs again with what it needs', async () => {
    const driver = driverOf()
    const launch = launchFor(await known(), memberOn(), driver)
    const said = async (args: string[], words: string) => {
      expect(await driver.start({ ...launch, args })).toBe(true)
      await eventually(30, async () =>
        expect(await driver.inspect()).toMatchObject({ state: 'stopped', said: expect.stringContaining(words) }),
      )
    }
    await said([...launch.args, '--nonsense=1'], 'flag provided but not defined: -nonsense')
    const elsewhere = launch.args.map(arg => arg.replace(`https://${machine.address}:2380`, 'https://192.0.2.1:2380'))
    await said(elsewhere, 'listen tcp 192.0.2.1:2380: bind: cannot assign requested address')
    expect(await driver.start(launch)).toBe(true)
    await world.up()
  })

  test('whose data are lost while it runs is not taken back with an empty log', async () => {
    const driver = driverOf()
    const gone = (words: RegExp) =>
      eventually(30, async () =>
        expect(await driver.inspect()).toMatchObject({ state: 'absent', said: expect.stringMatching(words) }),
      )
    await machine.exec(['rm', '-rf', `/var/lib/docker/volumes/${container(first)}-data-1/_data/data/member`])
    await world.kill(first)
    await gone(/has already been bootstrapped/)
    await machine.exec(['rm', '-rf', `/var/lib/docker/volumes/${container(first)}-data-1/_data/data`])
    await gone(/cannot access data directory/)
    await expect(world.up()).rejects.toThrow(`etcd member replace ${first}`)
    const replaced = await karmadaNet(`etcd member replace ${first} --etcd ${cluster}`)
    expect(replaced).toSucceed()
    expect(await thingsOf(first)).toEqual(expected(first, 2))
  })

  test('whose data was wiped while it was stopped is not there any more', async () => {
    const driver = driverOf()
    await driver.stop()
    await machine.exec(['rm', '-rf', `/var/lib/docker/volumes/${container(first)}-data-2/_data/data/member`])
    expect((await driver.inspect()).state).toBe('absent')
    await expect(world.up()).rejects.toThrow('what it had stored is gone')
  })
})

describe('a restore', () => {
  test('is not started when it was cut off, and heals when it is run again', async () => {
    await world.clean()
    await world.up(1, '--force')
    const client = world.client(first)
    await client.put('/docker/restored', 'yes')
    const parts: Uint8Array[] = []
    for await (const part of client.snapshot()) parts.push(part)
    const snapshot = Buffer.concat(parts)
    const driver = driverOf()
    const was = await known()
    const next = { ...was, token: 'restored', members: { [first]: { generation: 2, version: was.spec.version } } }
    const launch = launchFor({ ...next, formed: false }, memberOn(), driver)
    const restore = (bytes: Buffer) =>
      driver.etcdutl(
        launch,
        path => [
          ...['snapshot', 'restore', path, `--data-dir=${driver.paths.data(2)}`, `--name=${first}`],
          ...launch.bootstrapArgs.filter(arg => !arg.startsWith('--initial-cluster-state')),
        ],
        (async function* () {
          yield bytes
        })(),
        bytes.length,
      )
    await expect(restore(snapshot)).rejects.toThrow('runs')
    await driver.stop()
    const tampered = Buffer.from(snapshot)
    tampered[5000] = (tampered[5000] ?? 0) ^ 1
    await expect(restore(tampered)).rejects.toThrow('expected sha256')
    await expect(driver.start(launch)).rejects.toThrow('was cut off')
    await restore(snapshot)
    expect(await driver.start(launch)).toBe(true)
    await eventually(30, async () =>
      expect((await client.range({ key: '/docker/restored' })).kvs[0]?.value.toString()).toBe('yes'),
    )
    expect(await thingsOf(first)).toEqual([
      container(first),
      ...[1, 2].map(n => `${container(first)}-data-${n}`),
      `${container(first)}-pki`,
    ])
    await driver.discardBefore(2)
    expect(await thingsOf(first)).toEqual(expected(first, 2))
    client.close()
  })

  test('data that was kept is not taken for those of a new cluster', async () => {
    const driver = driverOf()
    await driver.remove({ keepData: true })
    expect(await thingsOf(first)).toEqual([`${container(first)}-data-2`])
    const launch = { ...launchFor(await known(), memberOn(), driver), generation: 2 }
    await expect(driver.start(launch)).rejects.toThrow('holds the data of an earlier life of this cluster')
  })
})

describe('an engine', () => {
  test.each([
    ['does not answer', { host: 'unix:///nonexistent/docker.sock' }, /^docker on unix:.*: no engine answers: /],
    [
      'is behind an ssh that fails',
      { host: 'ssh://root@127.0.0.1:1' },
      /^docker on ssh:.*: (ssh: |.*onnection refused)/,
    ],
    ['has a context that is not there', { context: 'nowhere' }, 'there is no docker context "nowhere"'],
  ])('that %s is said in one line', async (_, driver, message) => {
    await expect(driverOf({ driver: { kind: 'docker', ...driver } }).inspect()).rejects.toThrow(message)
  })

  test('pulls an image that it does not have, and pins it by its digest', async () => {
    const [spec] = etcdSpecs(sandbox.bin)
    if (!spec) throw new Error('no image of etcd')
    const serving = new AbortController()
    const registry = join(import.meta.dirname, 'registry.ts')
    // In the machine's network only: this checkout may lie where the machine has files of its own.
    const pid = machine.path('/').split('/')[2] ?? ''
    const served = sandbox.exec(['nsenter', `--target=${pid}`, '--net', '--', process.execPath, registry, '5999'], {
      input: imageArchive(spec),
      signal: serving.signal,
    })
    const ended = served.catch(() => undefined)
    const driver = driverOf()
    const launch = {
      ...launchFor({ ...(await known()), formed: false }, memberOn(), driver),
      image: '127.0.0.1:5999/etcd:v3.6.16',
      generation: 7,
    }
    try {
      await driver.deliver(memberFiles(await authorityOf(store), memberOn(), 'ecdsa-p256'))
      await eventually(30, () => driver.start(launch).then(changed => expect(changed).toBe(true)))
      expect(await docker(first, 'inspect', '-f', '{{.Config.Image}}', container(first))).toMatch(
        /^127\.0\.0\.1:5999\/etcd@sha256:[0-9a-f]{64}$/,
      )
      expect(await driver.start(launch)).toBe(false)
      expect((await driver.inspect()).launch?.image).toBe('127.0.0.1:5999/etcd:v3.6.16')
    } finally {
      serving.abort()
      await ended
      await driver.remove({ keepData: false })
      await docker(first, 'rmi', '--force', launch.image).catch(() => undefined)
    }
  })

  test('is reached by a docker context as well, and Ctrl-C ends what waits for it', async () => {
    const env = { ...process.env, DOCKER_CONFIG: `${state}/docker` }
    await sandbox.exec(['docker', 'context', 'create', 'far', `--docker=host=${machine.docker}`], { env })
    const controller = new AbortController()
    const driver = driverOf({ driver: { kind: 'docker', context: 'far' } }, env, controller.signal)
    expect(driver.where).toBe('docker context far')
    const { clockSkewMs } = await driver.inspect()
    expect(clockSkewMs).toBe(0)
    const looking = driver.inspect()
    controller.abort(new Error('Ctrl-C'))
    await expect(looking).rejects.toThrow('Ctrl-C')
  })
})

describe('etcd down', () => {
  test('leaves nothing', async () => {
    await world.clean()
    await world.up()
    expect(await karmadaNet(`etcd down --etcd ${cluster} --yes`)).toSucceed()
    for (const { name } of machines.slice(0, 3)) expect(await thingsOf(name)).toEqual([])
    expect(await readState(store)).toBeUndefined()
  })
})

async function known() {
  const read = await readState(store)
  if (!read) throw new Error(`nothing is remembered of ${cluster}`)
  return read
}

const certificatesIn = (pem: string): string =>
  /-----BEGIN CERTIFICATE-----[\s\S]*-----END CERTIFICATE-----\n/.exec(pem)?.[0] ?? ''
