import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, openWorld } from './plugin.ts'

const { karmadaNet, kubectl, runUntil, sandbox } = await openWorld()

const restarts = async (member: string) =>
  (
    await kubectl(
      member,
      'get pods -n karmada-system -l app=karmada-agent -o jsonpath={.items[*].status.containerStatuses[*].restartCount}',
    )
  )
    .split(' ')
    .map(Number)

beforeAll(async () => {
  await karmadaNet('anp down --all')
})
afterAll(async () => {
  await karmadaNet('anp down --all')
})

describe('Ctrl-C between any two steps, then the same command again', () => {
  // Each run goes as far as the one before, and one step further.
  test.each([
    'Preflight',
    'Gateway',
    'Certificates',
    'Proxy server',
    'Agent, delivered through Karmada',
    'Tunnel and karmada-agent checked',
    'Cluster.spec: apiEndpoint, proxyURL',
  ])('after "%s"', async step => {
    const run = await runUntil('anp up member1', new RegExp(`✓ ${step}`), ({ pid }) => process.kill(pid, 'SIGINT'))
    expect(run.code).toBe(130)
    expect(run.stderr).toMatch(/^Stopped.* Run the same command again to go on/m)
    expect(run.stderr).not.toMatch(/error|undefined|\n {4}at /)
  })

  test('it goes on to the end, and karmada-agent never crashed', async () => {
    expect(await karmadaNet('anp up member1')).toSucceed()
    expect(await karmadaNet('anp verify member1')).toSucceed()
    expect(await restarts('member1')).toEqual([0])
  })

  test('a stopped "anp down" goes on, too', async () => {
    const run = await runUntil('anp down member1', /✓ Cluster.spec, as it was/, ({ pid }) =>
      process.kill(pid, 'SIGINT'),
    )
    expect(run.code).toBe(130)
    expect(await karmadaNet('anp down member1')).toSucceed()
    expect((await karmadaNet('anp status member1')).stdout).toMatch(/^member1 +- /m)
  })
})

describe("the host's API server restarts in the middle", () => {
  test('the command ends well or says why in one line, and the same command again heals', async () => {
    const again: Promise<void>[] = []
    const run = await runUntil('anp up member1', /✓ Proxy server/, () => {
      again.push(
        sandbox.host
          .stop('kube-apiserver')
          .then(() => sleep(2000))
          .then(() => sandbox.host.start('kube-apiserver')),
      )
    })
    await Promise.all(again)
    if (run.code !== 0) expect(run).toFailWith(/connect|refused|server/i)
    await eventually(90, async () => expect(await karmadaNet('anp up member1')).toSucceed())
    expect(await karmadaNet('anp verify member1')).toSucceed()
    expect(await restarts('member1')).toEqual([0])
  })
})

describe('a member that is cut off', () => {
  test('is seen by status, and verify names the first broken hop', async () => {
    await sandbox.member('member1').disconnect()
    try {
      await eventually(150, async () => {
        const { stdout } = await karmadaNet('anp status member1')
        expect(stdout).toMatch(/^member1 +down +0\/2 +0\/2 .* no agent connected$/m)
      })
      const run = await karmadaNet('anp verify member1')
      expect(run.code).toBe(1)
      expect(run.stdout).toMatch(/^ ✗ agents connected/m)
      expect(run.stdout).toMatch(/^ - CONNECT kubernetes.default.svc:443 +not tried/m)
      expect(run.stderr).toMatch(/^error: \d+ of 11 checks failed for member1/m)
    } finally {
      await sandbox.member('member1').reconnect()
    }
  })

  test('comes back by itself', async () => {
    await eventually(150, async () => {
      expect((await karmadaNet('anp status member1')).stdout).toMatch(/^member1 +up +2\/2 +2\/2 +match /m)
    })
  })
})

describe('parts that die', () => {
  const ready = () =>
    eventually(90, async () => {
      expect((await karmadaNet('anp status member1')).stdout).toMatch(/^member1 +up +2\/2 +2\/2 +match /m)
    })

  test.each([
    ['the gateway', 'host', 'anp-gateway'],
    ['the proxy servers', 'host', 'anp-server'],
    ['the agents', 'member1', 'anp-agent'],
  ])('%s: all at once, and the tunnel is back', async (_, context, component) => {
    await kubectl(
      context,
      `delete pods -n karmada-system -l app.kubernetes.io/component=${component} --force --grace-period=0`,
    )
    await ready()
    expect(await karmadaNet('anp verify member1')).toSucceed()
  })
})
