import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../plugin.ts'
import { openEtcdWorld } from './world.ts'

const etcd = await openEtcdWorld('faults')
const { karmadaNet } = etcd

/** Half the usual rate: what counts is that some are always under way. */
const underWrites: typeof etcd.underWrites = work => etcd.underWrites(work, { putsPerSecond: 200 })

/** The cluster of the test before, or a new one where that one was left in pieces: one failure is to stay one. */
beforeEach(async () => {
  const whole = (await karmadaNet('etcd verify').catch(() => undefined))?.code === 0
  if (whole) return
  await etcd.clean()
  await etcd.up()
})
afterEach(async () => {
  for (const { name } of etcd.machines) await etcd.mend(name)
})
afterAll(() => etcd.clean())

type Role = 'a follower' | 'the leader'
const roles: Role[] = ['a follower', 'the leader']

async function memberThatIs(role: Role): Promise<string> {
  const [follower = ''] = await etcd.followers()
  return role === 'the leader' ? etcd.leader() : follower
}

/** A member's line of `etcd status`. */
async function statusOf(member: string): Promise<string> {
  const { stdout } = await karmadaNet('etcd status')
  return stdout.split('\n').find(line => line.startsWith(`${member} `)) ?? ''
}

const saysDown = (member: string) =>
  eventually(30, async () => expect(await statusOf(member)).toMatch(/^\S+ +down +- .*\S$/))

/** Everybody answers, and one of them leads. */
const saysWell = () =>
  eventually(60, async () => {
    const { stdout, stderr } = await karmadaNet('etcd status')
    expect(stdout.match(/^\S+ +(leader|follower) .*\d+d$/gm)).toHaveLength(3)
    expect(stderr).toMatch(/3 of 3 voters healthy, leader etcd\d/)
  })

describe.each(roles)('%s', role => {
  test('killed: the engine starts it again, and writes go on', async () => {
    const member = await memberThatIs(role)
    const { lost } = await underWrites(async ledger => {
      await etcd.kill(member)
      await ledger.nextAck()
      await saysWell()
    })
    expect(lost).toEqual([])
  })

  test('stopped by somebody: status says so, and "etcd up" starts it', async () => {
    const member = await memberThatIs(role)
    const { lost } = await underWrites(async ledger => {
      await etcd.stop(member)
      await ledger.nextAck()
      await saysDown(member)
      expect(await karmadaNet('etcd up')).toSucceed()
      await saysWell()
    })
    expect(lost).toEqual([])
  })

  test('paused: it takes connections and answers nobody', async () => {
    const member = await memberThatIs(role)
    const { lost } = await underWrites(async ledger => {
      await etcd.pause(member)
      await ledger.nextAck()
      await saysDown(member)
      expect(await karmadaNet('etcd up --timeout=8s')).toFailWith(member, { hint: 'etcd status' })
      await etcd.resume(member)
      expect(await karmadaNet('etcd up')).toSucceed()
    })
    expect(lost).toEqual([])
  })

  test('cut off from the others, while clients still reach it', async () => {
    const member = await memberThatIs(role)
    const { lost } = await underWrites(async ledger => {
      await etcd.cut(member, 'peers')
      await ledger.nextAck()
      await eventually(30, async () => expect(await statusOf(member)).toMatch(/no leader/))
      await etcd.heal(member)
      expect(await karmadaNet('etcd up')).toSucceed()
      await saysWell()
    })
    expect(lost).toEqual([])
  })

  test('cut off from everybody', async () => {
    const member = await memberThatIs(role)
    const { lost } = await underWrites(async ledger => {
      await etcd.cut(member, 'everything')
      await ledger.nextAck()
      await saysDown(member)
      await etcd.heal(member)
      await saysWell()
    })
    expect(lost).toEqual([])
  })

  test('its disk is full', async () => {
    const member = await memberThatIs(role)
    const { lost } = await underWrites(async ledger => {
      await etcd.fillDisk(member)
      // It goes on for as long as what it has reserved lasts.
      await saysDown(member)
      await ledger.nextAck()
      expect((await karmadaNet(`etcd verify ${member}`)).stdout).toMatch(/no space left on device/)
      // In the table, whole: the cause, not who passes it on.
      const row = new RegExp(`^${member} .*no space left on device$`, 'm')
      await eventually(60, async () => expect((await karmadaNet('etcd status')).stdout).toMatch(row))
      expect(await karmadaNet('etcd up --timeout=8s')).toFailWith('no space left on device')
      await etcd.freeDisk(member)
      expect(await karmadaNet('etcd up')).toSucceed()
      await saysWell()
    })
    expect(lost).toEqual([])
  })

  test('its data is gone: it is not started on nothing, "etcd member replace" brings it back', async () => {
    const member = await memberThatIs(role)
    const { lost } = await underWrites(async ledger => {
      await etcd.wipe(member)
      await ledger.nextAck()
      await saysDown(member)
      // The engine tries again and again; looked at during such a try, it seems to run, and "up" waits for it in vain.
      await eventually(60, async () => {
        const run = await karmadaNet('etcd up --timeout=5s')
        expect(run).toFailWith(member, { hint: `etcd member replace ${member}` })
      })
      expect(await karmadaNet(`etcd member replace ${member}`)).toSucceed()
      await saysWell()
    })
    expect(lost).toEqual([])
    expect(await karmadaNet('etcd verify')).toSucceed()
  })
})

test('two of three cut off: nothing is acknowledged, status says that there is no quorum, and it heals', async () => {
  const [one = '', other = ''] = await etcd.followers()
  const { lost } = await underWrites(async ledger => {
    await etcd.cut(one, 'everything')
    await etcd.cut(other, 'everything')
    // Answers that were on their way already still arrive.
    await eventually(30, () => expect(ledger.nextAck(8)).rejects.toThrow('no put was acknowledged'))
    const run = await karmadaNet('etcd status')
    expect(run.stderr).toMatch(/no quorum/)
    await etcd.heal(one)
    await etcd.heal(other)
    await ledger.nextAck()
    await saysWell()
  })
  expect(lost).toEqual([])
})

test('all are stopped: "etcd up" starts them, and all that was acknowledged is there', async () => {
  const { lost } = await underWrites(async ledger => {
    await Promise.all((await etcd.spec()).members.map(({ name }) => etcd.stop(name)))
    const run = await karmadaNet('etcd up')
    expect(run).toSucceed()
    expect(run.stderr).toMatch(/✓ Quorum /)
    await ledger.nextAck()
    await saysWell()
  })
  expect(lost).toEqual([])
})
