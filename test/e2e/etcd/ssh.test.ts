import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stderr } from 'node:process'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { createSshServer, createSshUser, hostKeyLine } from './ssh.ts'
import { openEtcdWorld } from './world.ts'

const folder = await mkdtemp(join(tmpdir(), 'karmada-net-ssh-'))
const user = await createSshUser(folder)
const etcd = await openEtcdWorld('ssh', { PATH: user.bin })
const { karmadaNet, machines } = etcd
const [far, ...near] = machines.slice(0, 3)
if (!far) throw new Error('the sandbox has no machines')
const server = await createSshServer(far, folder, user.publicKey)
const where = `ssh://root@${far.address}`
const members = [`--member ${far.name}=${far.address},docker=${where}`, ...near.map(memberHere)].join(' ')

function memberHere({ name }: { name: string }): string {
  return `--member ${etcd.memberOf(name)}`
}

beforeEach(() => user.use({ key: 'right', knownHosts: [server.hostKey] }))
afterAll(async () => {
  await etcd.clean()
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** The command, and how long it took in all. */
async function timed(words: string) {
  const began = performance.now()
  const run = await karmadaNet(words)
  stderr.write(`  ${words.split(' --member')[0]}: ${((performance.now() - began) / 1000).toFixed(1)} s\n`)
  return run
}

test('a member whose engine is reached over ssh comes up with the others', async () => {
  const run = await timed(`etcd up ssh ${members}`)
  expect(run).toSucceed()
  expect(run.stderr).toContain('etcd ssh is up and verified')
  expect(await etcd.docker(far.name, 'ps', '--format', '{{.Names}}')).toBe(`karmada-net-etcd-ssh-${far.name}`)
  expect((await timed(`etcd up ssh ${members}`)).stderr).toContain('Nothing to do')
  expect((await timed('etcd status')).stderr).toContain('3 of 3 voters healthy')
  const verified = await timed('etcd verify')
  expect(verified).toSucceed()
  expect(verified.stdout).toMatch(/its disk has room .*unknown/)
})

test('it is replaced under writes, and none is lost', async () => {
  const { lost } = await etcd.underWrites(async () => {
    await etcd.wipe(far.name)
    expect(await timed(`etcd member replace ${far.name}`)).toSucceed()
  })
  expect(lost).toEqual([])
  expect((await karmadaNet('etcd status')).stderr).toContain('3 of 3 voters healthy')
})

describe('where ssh does not get there, one line says why, and a hint what to do', () => {
  const byHand = `-l root -- ${far.address} docker version`

  test('a key that is not let in', async () => {
    await user.use({ key: 'wrong', knownHosts: [server.hostKey] })
    expect(await karmadaNet('etcd up')).toFailWith(
      `docker on ${where}: root@${far.address}: Permission denied (publickey).`,
      { hint: byHand },
    )
    // What etcd itself tells needs no ssh.
    expect((await karmadaNet('etcd status')).stderr).toContain('3 of 3 voters healthy')
  })

  test('a host that is not known', async () => {
    await user.use({ key: 'right', knownHosts: [] })
    expect(await karmadaNet('etcd up')).toFailWith(`docker on ${where}: its host key is not known here`, {
      hint: byHand,
    })
  })

  test('a host that is another one than was known', async () => {
    const other = await hostKeyLine(far.address, join(folder, 'wrong.pub'))
    await user.use({ key: 'right', knownHosts: [other] })
    expect(await karmadaNet('etcd up')).toFailWith('its host key is not the one that was known', {
      hint: /ssh-keygen .*-R .*docker version/,
    })
  })

  test('no sshd', async () => {
    server.stop()
    expect(await karmadaNet('etcd up')).toFailWith(
      `docker on ${where}: ssh: connect to host ${far.address} port 22: Connection refused`,
      { hint: byHand },
    )
    await server.start()
    expect(await karmadaNet('etcd up')).toSucceed()
  })
})

test('down leaves nothing on it', async () => {
  expect(await timed('etcd down --yes')).toSucceed()
  expect(await etcd.docker(far.name, 'ps', '--all', '--quiet')).toBe('')
  expect(await etcd.docker(far.name, 'volume', 'ls', '--quiet')).toBe('')
})
