import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { bootVm, type Vm } from '../boot.ts'
import { type Addresses, ipv4, ipv6, makeWorld, patience, type World } from './world.ts'

// As long as each of its waits, several times.
vi.setConfig({ testTimeout: 6 * patience.timeout })

let vm: Vm
beforeAll(async () => {
  vm = await bootVm()
})
afterAll(() => vm?.[Symbol.asyncDispose]())

const all = '1=1 2=1 3=1'

describe.each<Addresses>([ipv4, ipv6])('the agent of a node, $family', addresses => {
  let world: World
  const [, second, third] = addresses.servers
  const modes = (mode: 'ready' | 'refuse' | 'not-ready' | 'slow' | 'wrong-certificate', ...servers: string[]) =>
    world.order({ modes: Object.fromEntries(servers.map(server => [server, mode])) })
  const drop = (server: string) => {
    const family = addresses.family === 'ipv4' ? 'ip' : 'ip6'
    return world.onServers(['nft', 'add', 'rule', 'inet', 'cut', 'in', family, 'daddr', server, 'drop'])
  }
  const heal = () => world.onServers(['nft', 'flush', 'chain', 'inet', 'cut', 'in'])

  beforeAll(async () => {
    world = await makeWorld(vm, addresses)
    await world.onServers([
      'sh',
      '-c',
      'nft add table inet cut; nft "add chain inet cut in { type filter hook input priority 0; }"',
    ])
    // Somebody else's, which nobody of us may touch.
    await world.exec(['ipvsadm', '-A', '-u', '10.99.99.99:53', '-s', 'wlc'])
    // One address is enough to find the others.
    await world.putSettings({ ...world.base, staticServers: [world.of(1)] })
    await world.order({ settings: { ...world.base, staticServers: [world.of(1)] } })
    await world.startAgent()
  })
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') say(`the agent's log:\n${(await world.log()).split('\n').slice(-40).join('\n')}`)
  })
  afterAll(async () => {
    await world?.killAgent('TERM').catch(() => undefined)
  })

  test('finds the API servers, and makes virtual server and route', async () => {
    await world.becomes(all)
    await expect.poll(() => world.get('/healthz'), patience).toBe('ok\n200')
    const report = await world.report()
    expect(report).toMatchObject({
      vip: addresses.vip,
      table: { present: true, flushes: 0 },
      discovery: { from: 'watch' },
    })
    expect(report.route).toEqual({ present: true, source: addresses.node })
    expect(report.sysctls.every(({ found, wanted }) => found === wanted)).toBe(true)
    const metrics = await world.get('/metrics')
    expect(metrics).toContain(`karmada_net_vip_server_weight{server="${world.of(3)}"} 1`)
  })

  test('requests reach every API server', async () => {
    const { fresh, kept } = await world.underRequests(async () => undefined)
    expect(fresh.errors).toEqual([])
    expect(kept.errors).toEqual([])
    expect(Object.keys(fresh.servers).sort()).toEqual(addresses.servers)
  })

  test('an API server whose packets vanish goes, and comes back', async () => {
    const { fresh, kept } = await world.underRequests(async () => {
      await drop(second)
      await world.becomes('1=1 3=1')
      await heal()
      await world.becomes(all)
    })
    say(`black hole: longest ${fresh.longestMs} ms, errors ${fresh.errors.length} new, ${kept.errors.length} kept`)
    expect(fresh.ok).toBeGreaterThan(0)
    const report = await world.report()
    expect(report.servers[1]).toMatchObject({ address: world.of(2), state: 'up', present: true })
  })

  test('one that is killed goes, and comes back', async () => {
    await modes('refuse', third)
    await world.becomes('1=1 2=1')
    expect((await world.report()).servers[2]).toMatchObject({
      state: 'down',
      reason: 'connection refused',
      present: false,
    })
    await modes('ready', third)
    await world.becomes(all)
  })

  // What has nothing to do with addresses is tried with one kind of them.
  if (addresses.family === 'ipv4') {
    test.each([
      ['not-ready', '/readyz answers 500'],
      ['slow', '/readyz: no answer in 10000 ms'],
      ['wrong-certificate', 'wrong certificate'],
    ] as const)('one that is %s gets no new connections', async (mode, reason) => {
      await modes(mode, second)
      await world.becomes('1=1 2=0 3=1')
      expect((await world.report()).servers[1]?.reason).toContain(reason)
      await modes('ready', second)
      await world.becomes(all)
    })

    test('when all are down nobody goes, and who is back first serves', async () => {
      await modes('refuse', ...addresses.servers)
      await expect
        .poll(async () => (await world.report()).servers.map(({ state, weight }) => `${state} ${weight}`), patience)
        .toEqual(['down 1', 'down 1', 'down 1'])
      await world.becomes(all)
      await modes('ready', second)
      await world.becomes('2=1')
      await modes('ready', ...addresses.servers)
      await world.becomes(all)
    })

    test('an empty list of endpoints is no news; one that moved is followed', async () => {
      await world.order({ endpoints: [] })
      await world.order({ endpoints: [...addresses.servers].slice(0, 2) })
      // It keeps what it has for a while.
      await world.becomes('1=1 2=1 3=0')
      await world.order({ endpoints: addresses.servers })
      await world.becomes(all)
    })
  }

  test('the table is back after somebody has emptied it', async () => {
    await world.exec(['ipvsadm', '-C'])
    await world.becomes(all)
    await expect.poll(async () => (await world.report()).table.flushes, patience).toBe(1)
    await world.exec(['ipvsadm', '-A', '-u', '10.99.99.99:53', '-s', 'wlc'])
  })

  test('what somebody changed is put right', async () => {
    const vip = addresses.family === 'ipv4' ? '198.18.0.1:6443' : '[fd00::1]:6443'
    const change = ['-E', '-t', vip, '-s', 'wlc', '-p', '300']
    await world.exec(['ipvsadm', ...change])
    await world.exec(['ipvsadm', '-e', '-t', vip, '-r', world.of(2), '-w', '7'])
    await world.exec(['ipvsadm', '-a', '-t', vip, '-r', world.of(9), '-m'])
    await expect
      .poll(
        async () =>
          (await world.exec(['ipvsadm', '-Sn'])).stdout
            .split('\n')
            .filter(line => line.includes(vip))
            .sort(),
        patience,
      )
      .toEqual([`-A -t ${vip} -s rr`, ...[1, 2, 3].map(last => `-a -t ${vip} -r ${world.of(last)} -m -w 1`)])
    await world.exec(['ip', 'route', 'del', 'local', addresses.vip, 'dev', 'lo'])
    await expect
      .poll(async () => (await world.exec(['ip', 'route', 'get', addresses.vip])).stdout, patience)
      .toContain('local')
  })

  test('a drain is no failure', async () => {
    const settings = { ...world.base, drained: [world.of(1)] }
    const { fresh, kept } = await world.underRequests(async () => {
      await world.order({ settings })
      await world.becomes('1=0 2=1 3=1')
      await world.order({ settings: world.base })
      await world.becomes(all)
    })
    expect([...fresh.errors, ...kept.errors]).toEqual([])
  })

  test('an agent that is killed and started again is no failure', async () => {
    const { fresh, kept } = await world.underRequests(async () => {
      await world.killAgent()
      const before = (await world.log()).length
      await world.startAgent()
      await expect.poll(async () => (await world.log()).slice(before), patience).toContain('is up')
      expect(await world.weights()).toBe(all)
    })
    expect([...fresh.errors, ...kept.errors]).toEqual([])
    expect(fresh.ok).toBeGreaterThan(0)
  })

  test('another virtual IP stands before the old one goes', async () => {
    const other = addresses.family === 'ipv4' ? '198.18.0.2' : 'fd00::2'
    await world.order({ settings: { ...world.base, vip: other } })
    await world.becomes(all, other)
    await world.becomes(undefined)
    await world.order({ settings: world.base })
    await world.becomes(all)
    await world.becomes(undefined, other)
  })

  test('a boot puts it back without asking anybody', async () => {
    await modes('refuse', second, third)
    await world.becomes('1=1')
    await world.killAgent()
    await world.exec(['ipvsadm', '-C'])
    await world.exec(['ip', 'route', 'del', 'local', addresses.vip, 'dev', 'lo'])
    expect(await world.agent('restore')).toMatchObject({ code: 0, stdout: expect.stringContaining('is as before') })
    expect(await world.weights()).toBe(all)
    expect((await world.exec(['ip', 'route', 'get', addresses.vip])).stdout).toContain(`src ${addresses.node}`)
    expect(await world.agent('restore')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('was there already'),
    })
    await modes('ready', second, third)
    await world.exec(['ipvsadm', '-A', '-u', '10.99.99.99:53', '-s', 'wlc'])
  })

  if (addresses.family === 'ipv4') {
    test('where sysctls are read-only it says which are off, and does the rest', async () => {
      await world.exec(['sysctl', '-qw', 'net.ipv4.vs.conntrack=0'])
      await world.exec(['ipvsadm', '-C'])
      await world.startAgent({}, 'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys')
      await world.becomes(all)
      await expect.poll(() => world.get('/healthz'), patience).toBe('ok\n200')
      expect((await world.report()).sysctls[0]).toEqual({ name: 'net.ipv4.vs.conntrack', wanted: '1', found: '0' })
      await world.killAgent()
      await world.exec(['sysctl', '-qw', 'net.ipv4.vs.conntrack=1'])
      await world.exec(['ipvsadm', '-A', '-u', '10.99.99.99:53', '-s', 'wlc'])
    })

    test('without ipvsadm it says so, and serves what is there', async () => {
      await world.startAgent({ PATH: '/nowhere' })
      await expect
        .poll(() => world.get('/healthz'), patience)
        .toContain('ipvsadm is not there: install the package "ipvsadm"\n503')
      expect(await world.get('/livez')).toBe('ok\n200')
      await world.killAgent()
    })
  }

  test("other people's virtual servers are as they were", async () => {
    expect((await world.exec(['ipvsadm', '-Sn'])).stdout).toContain('-A -u 10.99.99.99:53 -s wlc\n')
  })
})

/** Figures for whoever reads along; nothing depends on them. */
const say = (text: string) => process.stdout.write(`${text}\n`)
