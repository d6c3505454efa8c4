import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../plugin.ts'
import { openEtcdWorld } from './world.ts'

const etcd = await openEtcdWorld('cut')
const { karmadaNet, machines } = etcd
const fourth = etcd.sandbox.machine('etcd4').name

const wellWith = (count: number) =>
  eventually(60, async () => {
    const { stderr } = await karmadaNet('etcd status')
    expect(stderr).toContain(`${count} of ${count} voters healthy`)
  })

/** Ctrl-C once it has said this, then the same command again. */
async function twice(words: string, after: RegExp): Promise<void> {
  const cut = await etcd.runUntil(words, after, ({ pid }) => process.kill(pid, 'SIGINT'))
  expect(cut.code).toBe(130)
  expect(cut.stderr).toMatch(/Run the same command again to go on/)
  expect(await karmadaNet(words)).toSucceed()
}

beforeEach(async () => {
  if ((await karmadaNet('etcd status')).stderr.includes('3 of 3 voters healthy')) return
  await etcd.clean()
  await etcd.up()
})
afterEach(async () => {
  for (const { name } of machines) await etcd.mend(name)
})
afterAll(() => etcd.clean())

describe('Ctrl-C, then the same command', () => {
  test.each(['in the inventory', 'added as learner', 'promoted'])('member add, and remove: %s', async step => {
    await twice(`etcd member add ${etcd.memberOf(fourth)} --force`, new RegExp(`✓ .*${step} `))
    await wellWith(4)
    await twice(`etcd member remove ${fourth}`, /✓ .*taken off the member list /)
    await wellWith(3)
    expect(await etcd.docker(fourth, 'ps', '--all', '--quiet')).toBe('')
  })

  test('scale down and up', async () => {
    const { lost } = await etcd.underWrites(
      async () => {
        await twice('etcd scale 1', /✓ .*removed from its machine /)
        await wellWith(1)
        const left = (await etcd.spec()).members.map(({ name }) => name)
        const others = machines.slice(0, 3).filter(({ name }) => !left.includes(name))
        await twice(
          `etcd scale 3 ${others.map(({ name }) => `--member ${etcd.memberOf(name)}`).join(' ')}`,
          /✓ .*added as learner /,
        )
        await wellWith(3)
      },
      { putsPerSecond: 100 },
    )
    expect(lost).toEqual([])
  })

  test.each([/✓ .* alone /, /✓ Data of .* saved /, /✓ All members stopped/, /✓ Snapshot restored /])(
    'recover, after %s',
    async step => {
      const [one = '', other = ''] = await etcd.followers()
      const leader = await etcd.leader()
      const client = etcd.client(leader)
      await client.put('/kept', 'by the one that is left')
      client.close()
      // Stopped first, or the engine would start them at once; the one that is left answers nobody after a restart.
      for (const name of [one, other]) await etcd.stop(name)
      await etcd.stop(leader)
      for (const name of [one, other]) await etcd.wipe(name)
      await etcd.docker(leader, 'start', `karmada-net-etcd-cut-${leader}`)
      const out = join(etcd.state, 'recovered.db')
      await rm(out, { force: true })
      await twice(`etcd recover --from ${leader} --out ${out} --yes`, step)
      const again = etcd.client(one)
      expect((await again.range({ key: '/kept' })).kvs[0]?.value.toString()).toBe('by the one that is left')
      again.close()
      await wellWith(3)
    },
  )

  test('down', async () => {
    await twice('etcd down --yes', /✓ Snapshot /)
    for (const { name } of machines) expect(await etcd.docker(name, 'ps', '--all', '--quiet')).toBe('')
  })
})
