import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stderr } from 'node:process'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../plugin.ts'
import { openEtcdWorld } from './world.ts'

const etcd = await openEtcdWorld('member')
const { karmadaNet, machines } = etcd
/** Throws where the sandbox has too few: nothing is skipped for want of a machine. */
const fourth = etcd.sandbox.machine('etcd4')
const fifth = etcd.sandbox.machine('etcd5')

const saysWell = (count: number) =>
  eventually(60, async () => {
    const { stderr } = await karmadaNet('etcd status')
    expect(stderr).toContain(`${count} of ${count} voters healthy`)
  })

/** Three members that are well, whatever the test before left behind. */
beforeEach(async () => {
  const { stderr } = await karmadaNet('etcd status')
  if (stderr.includes('3 of 3 voters healthy')) return
  await etcd.clean()
  await etcd.up()
})
afterEach(async () => {
  for (const { name } of machines) await etcd.mend(name)
})
afterAll(() => etcd.clean())

const whoIs = async (role: string): Promise<string> =>
  role === 'the leader' ? etcd.leader() : ((await etcd.followers())[0] ?? '')

/** The command, and how long it took in all. */
async function timed(words: string) {
  const began = performance.now()
  const run = await karmadaNet(words)
  stderr.write(`  ${words}: ${((performance.now() - began) / 1000).toFixed(1)} s\n`)
  return run
}

describe.each(['a follower', 'the leader'])('the disk of %s is wiped', role => {
  test('replaced while writes go on: none is lost, and all have the same data', async () => {
    const member = await whoIs(role)
    const { lost } = await etcd.underWrites(async () => {
      await etcd.wipe(member)
      const run = await timed(`etcd member replace ${member}`)
      expect(run).toSucceed()
      expect(run.stderr).toMatch(/Ready, same data everywhere +[\d.]+s +revision \d+/)
    })
    expect(lost).toEqual([])
    await saysWell(3)
    expect((await karmadaNet(`etcd member replace ${member}`)).stderr).toContain('Nothing to do')
  })
})

/** What matters is that there are writes at every moment; how many is asked of the two above. */
const gently = { putsPerSecond: 100 }

describe('cut off', () => {
  test.each([
    ['SIGINT', 'stopped'],
    ['SIGINT', 'taken off the member list'],
    ['SIGINT', 'added as learner'],
    ['SIGINT', 'started on empty data'],
    ['SIGINT', 'promoted'],
    ['SIGKILL', 'taken off the member list'],
    ['SIGKILL', 'added as learner'],
  ])('by %s after "%s": the same command goes on', async (signal, step) => {
    const [member = ''] = await etcd.followers()
    const words = `etcd member replace ${member} --force`
    const { lost } = await etcd.underWrites(async () => {
      const done = new RegExp(`✓ .*${step} `)
      const run = await etcd.runUntil(words, done, ({ pid }) => process.kill(pid, signal as NodeJS.Signals))
      expect(run.code).not.toBe(0)
      expect(await karmadaNet(words)).toSucceed()
    }, gently)
    expect(lost).toEqual([])
    await saysWell(3)
  })

  test('the leader dies while another member is being replaced', async () => {
    const [member = ''] = await etcd.followers()
    const leader = await etcd.leader()
    const words = `etcd member replace ${member} --force`
    const { lost } = await etcd.underWrites(async () => {
      const run = await etcd.runUntil(words, /✓ .* stopped /, () => etcd.kill(leader))
      if (run.code !== 0) expect(await karmadaNet(words)).toSucceed()
    }, gently)
    expect(lost).toEqual([])
    await saysWell(3)
  })
})

describe('a fourth member', () => {
  const { name } = fourth
  const add = () => `etcd member add ${etcd.memberOf(name)}`

  test('that never comes up is taken off the list again; cured, it joins and leaves', async () => {
    expect(await karmadaNet(add())).toFailWith('with etcd4 there are 4 members: 3 must be up', { hint: '--force' })
    await etcd.cut(name, 'peers')
    const failed = await karmadaNet(`${add()} --force --timeout=8s`)
    expect(failed).toFailWith(`${name} did not come up in`, { hint: 'the same command again' })
    expect(await etcd.client(await etcd.leader()).members({ linearizable: true })).toHaveLength(3)
    await etcd.heal(name)
    const { lost } = await etcd.underWrites(async () => {
      expect(await karmadaNet(`${add()} --force`)).toSucceed()
      await saysWell(4)
      expect(await karmadaNet(`etcd member remove ${name}`)).toSucceed()
    })
    expect(lost).toEqual([])
    await saysWell(3)
    expect(await etcd.docker(name, 'ps', '--all', '--quiet')).toBe('')
  })

  test('as a learner until it is promoted', async () => {
    expect(await karmadaNet(`${add()} --learner`)).toSucceed()
    const { stdout } = await karmadaNet('etcd status')
    expect(stdout).toMatch(new RegExp(`^${name} +learner `, 'm'))
    expect(await karmadaNet(`etcd member promote ${name}`)).toSucceed()
    await saysWell(4)
    expect(await karmadaNet('etcd scale 3')).toSucceed()
    await saysWell(3)
  })
})

test('a member moves to another machine', async () => {
  const [member = ''] = await etcd.followers()
  const there = etcd.memberOf(fourth.name).replace(/^[^=]+/, member)
  const { lost } = await etcd.underWrites(async () => {
    expect(await karmadaNet(`etcd member replace ${member} --member ${there}`)).toSucceed()
  }, gently)
  expect(lost).toEqual([])
  await saysWell(3)
  expect((await etcd.spec()).members.find(({ name }) => name === member)?.address).toBe(fourth.address)
  expect(await etcd.docker(member, 'ps', '--all', '--quiet')).toBe('')
  // Other tests find a member on the machine of its name.
  await etcd.clean()
})

test('from three to one and back', async () => {
  const { lost } = await etcd.underWrites(async () => {
    expect(await karmadaNet('etcd scale 1')).toSucceed()
    const left = (await etcd.spec()).members.map(({ name }) => name)
    expect(left).toHaveLength(1)
    const others = machines.slice(0, 3).filter(machine => !left.includes(machine.name))
    const named = others.map(machine => `--member ${etcd.memberOf(machine.name)}`).join(' ')
    expect(await karmadaNet(`etcd scale 3 ${named}`)).toSucceed()
  })
  expect(lost).toEqual([])
  await saysWell(3)
})

test('from three to five, where two may be down, and back', async () => {
  const { lost } = await etcd.underWrites(async () => {
    const named = [fourth, fifth].map(({ name }) => `--member ${etcd.memberOf(name)}`).join(' ')
    expect(await timed(`etcd scale 5 ${named}`)).toSucceed()
    await saysWell(5)
    const [first = '', second = ''] = await etcd.followers()
    await Promise.all([etcd.stop(first), etcd.stop(second)])
    expect((await karmadaNet('etcd status')).stderr).toContain('3 of 5 voters healthy')
    // Who is down goes first.
    expect(await timed('etcd scale 3')).toSucceed()
    const left = (await etcd.spec()).members.map(({ name }) => name)
    expect(left).toHaveLength(3)
    expect(left.filter(name => name === first || name === second)).toEqual([])
  }, gently)
  expect(lost).toEqual([])
  await saysWell(3)
  // What it has become is an inventory that changes nothing.
  const file = join(etcd.state, 'now.yaml')
  await writeFile(file, (await karmadaNet('etcd inventory')).stdout)
  expect((await karmadaNet(`etcd up -f ${file}`)).stderr).toContain('Nothing to do')
  // Other tests find members on the first three machines.
  await etcd.clean()
})

describe('refused, and nothing is changed', () => {
  test('what would cost the quorum, with the arithmetic', async () => {
    const [down = '', other = ''] = await etcd.followers()
    await etcd.stop(down)
    expect(await karmadaNet(`etcd member remove ${other} --force`)).toFailWith(
      `without ${other} 2 voters are left, 2 of them must be up, and 1 is`,
      { hint: `etcd member replace ${down}` },
    )
    expect(await karmadaNet(`etcd member replace ${other} --force`)).toFailWith(
      `to replace ${other}, 2 of the 3 voters must be up without it, and 1 is`,
      { hint: `start ${down} again` },
    )
    expect(await karmadaNet('etcd up')).toSucceed()
  })

  test('a member that is not there', async () => {
    expect(await karmadaNet('etcd member replace etcd11')).toFailWith('has no member "etcd11"', { hint: 'etcd1' })
  })

  test('a dry run tells every step', async () => {
    const [member = ''] = await etcd.followers()
    const before = await etcd.client(member).members({ linearizable: true })
    const run = await karmadaNet(`etcd member replace ${member} --force --dry-run`)
    expect(run).toSucceed()
    expect(run.stdout.match(/^\d\. /gm)).toHaveLength(7)
    expect(await etcd.client(member).members({ linearizable: true })).toEqual(before)
  })

  test('a second tool, be it that it keeps its state elsewhere', async () => {
    const [member = ''] = await etcd.followers()
    const elsewhere = `${etcd.state}-elsewhere`
    await cp(etcd.state, elsewhere, { recursive: true })
    const second: Promise<void>[] = []
    const words = `etcd member replace ${member} --force`
    const tryBoth = async () => {
      expect(await karmadaNet(words)).toFailWith(`member replace ${member}`)
      const other = await karmadaNet(`${words} --state ${elsewhere}`)
      expect(other).toFailWith(`runs "etcd member replace ${member}" on it`, { hint: 'the same command again' })
    }
    // Held where it is, or a quick one is over before the others have begun.
    const first = await etcd.runUntil(words, /✓ .* stopped /, ({ pid }) => {
      process.kill(pid, 'SIGSTOP')
      second.push(tryBoth().finally(() => process.kill(pid, 'SIGCONT')))
    })
    await rm(elsewhere, { recursive: true })
    await Promise.all(second)
    expect(second).toHaveLength(1)
    expect(first).toSucceed()
  })
})
