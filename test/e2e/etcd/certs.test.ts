import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createEtcdClient } from '../../../src/etcd/client/gateway.ts'
import { servedCertificate } from '../../../src/etcd/client/served.ts'
import { createAuthority, issue, type KeyPair } from '../../../src/pki/certificate.ts'
import { eventually } from '../plugin.ts'
import { openEtcdWorld } from './world.ts'

const etcd = await openEtcdWorld('certs')
const { karmadaNet, runUntil, sandbox } = etcd
const members = etcd.machines.slice(0, 3).map(({ name }) => name)
const [first = ''] = members
const folder = await mkdtemp(join(tmpdir(), 'etcd-certs-'))
const stored = (file: string) => join(etcd.state, 'etcd', 'certs', file)

beforeAll(async () => {
  await etcd.clean()
  await etcd.up()
})
afterEach(async () => {
  for (const name of members) await etcd.mend(name)
})
afterAll(async () => {
  await etcd.clean()
  await rm(folder, { recursive: true })
})

/** `certs status` as data, by what it is about. */
async function certificates(): Promise<
  Record<string, { state: string; notes: string[]; signedBy?: string; serial: string }>
> {
  const run = await karmadaNet('etcd certs status -o json')
  expect(run).toSucceed()
  const { items } = JSON.parse(run.stdout) as {
    items: { certificate: string; state: string; notes: string[]; serial: string }[]
  }
  return Object.fromEntries(items.map(item => [item.certificate, item]))
}

const allAreWell = async () => {
  for (const [name, { state, notes }] of Object.entries(await certificates()))
    expect([name, state, notes]).toEqual([name, 'ok', []])
}

const startedAt = (member: string) =>
  etcd.docker(member, 'inspect', '--format', '{{.State.StartedAt}}', `karmada-net-etcd-certs-${member}`)

const served = (member: string, port: number) => servedCertificate(sandbox.machine(member).address, port)

/** Overwrites what a member serves, as somebody with access to its machine might. */
async function plant(member: string, file: 'server.pem' | 'peer.pem', pem: string): Promise<void> {
  const volume = `/var/lib/docker/volumes/karmada-net-etcd-certs-${member}-pki/_data/current`
  await writeFile(sandbox.machine(member).path(join(volume, file)), pem)
}

async function storedAuthority(): Promise<KeyPair> {
  const [certificate, key] = await Promise.all([readFile(stored('ca.crt'), 'utf8'), readFile(stored('ca.key'), 'utf8')])
  return { certificate, key }
}

function leaf(by: KeyPair, names: string[], days = 365, now = new Date()): string {
  const signer = { certificate: by.certificate, key: createPrivateKey(by.key) }
  const pair = issue(signer, { commonName: 'planted', usages: ['server', 'client'], names, days, now })
  return pair.certificate + pair.key
}

describe('status', () => {
  test('names every certificate, and what a port serves', async () => {
    const run = await karmadaNet('etcd certs status')
    expect(run).toSucceed()
    expect(run.stdout).toMatch(/^CERTIFICATE +SIGNED BY +ENDS IN +SERVED +NOTE$/m)
    expect(run.stdout).toMatch(/^authority +itself +36\d\dd +-$/m)
    for (const member of members) {
      expect(run.stdout).toMatch(new RegExp(`^${member} server +authority +36\\dd +as delivered$`, 'm'))
      expect(run.stdout).toMatch(new RegExp(`^${member} peer +authority +36\\dd +as delivered$`, 'm'))
    }
    expect(run.stdout).toMatch(/^client admin +authority +36\dd +-$/m)
    expect(run.stderr).toBe('')
    await allAreWell()
  })

  test.each([
    [
      'expired',
      async (names: string[]) => leaf(await storedAuthority(), names, 1, new Date(Date.now() - 3 * 86_400_000)),
      /^expired on /,
    ],
    [
      'foreign',
      async (names: string[]) => leaf(createAuthority('Example Corp', { days: 9 }), names),
      /^signed by Example Corp, not by/,
    ],
    ['SAN-less', async () => leaf(await storedAuthority(), []), /^names no address at all$/],
    ['of another address', async () => leaf(await storedAuthority(), ['192.0.2.1']), /^not for 198\./],
  ])('one that is %s is named, and "certs rotate" heals it without a restart', async (_, make, note) => {
    const before = await startedAt(first)
    await plant(first, 'server.pem', await make([sandbox.machine(first).address]))
    const { [`${first} server`]: row } = await certificates()
    expect(row?.state).toBe('wrong')
    expect(row?.notes).toContainEqual(expect.stringMatching(note))
    expect((await karmadaNet('etcd certs status')).stderr).toContain('hint: kubectl karmada-net etcd certs rotate')
    expect(await karmadaNet('etcd certs rotate')).toSucceed()
    await allAreWell()
    expect(await startedAt(first)).toBe(before)
  })
})

describe('rotate', () => {
  test('all are new and served, nothing is restarted, nothing is lost', async () => {
    const before = await certificates()
    const started = await Promise.all(members.map(startedAt))
    const { lost } = await etcd.underWrites(async () => {
      const run = await karmadaNet('etcd certs rotate')
      expect(run).toSucceed()
      expect(run.stderr).toMatch(/✓ Client certificates .* admin, karmada-apiserver/)
    })
    expect(lost).toEqual([])
    const after = await certificates()
    expect(after['authority']).toEqual(before['authority'])
    for (const name of Object.keys(before).filter(each => each !== 'authority')) {
      expect(after[name]?.serial).not.toBe(before[name]?.serial)
    }
    await allAreWell()
    expect(await Promise.all(members.map(startedAt))).toEqual(started)
  })

  test('heals a cluster of which every certificate has expired', async () => {
    const authority = await storedAuthority()
    const past = new Date(Date.now() - 9 * 86_400_000)
    for (const member of members) {
      for (const file of ['server.pem', 'peer.pem'] as const) {
        await plant(member, file, leaf(authority, [sandbox.machine(member).address], 1, past))
      }
    }
    const signer = { certificate: authority.certificate, key: createPrivateKey(authority.key) }
    const admin = issue(signer, { commonName: 'admin', usages: ['client'], days: 1, now: past })
    await writeFile(stored('clients/admin.crt'), admin.certificate)
    await writeFile(stored('clients/admin.key'), admin.key)
    for (const words of ['etcd certs rotate --ca --dry-run', 'etcd certs rotate --ca']) {
      expect(await karmadaNet(words)).toFailWith(`${first} server: expired on`, {
        hint: 'etcd certs rotate makes new ones first',
      })
    }
    expect(await karmadaNet('etcd certs rotate')).toSucceed()
    await allAreWell()
    expect(await karmadaNet('etcd verify')).toSucceed()
  })

  test('cut off, it goes on: nothing is made twice', async () => {
    const cut = await runUntil('etcd certs rotate', new RegExp(`✓ ${members[1]}: `), ({ pid }) =>
      process.kill(pid, 'SIGINT'),
    )
    expect(cut.code).toBe(130)
    const middle = await certificates()
    const run = await karmadaNet('etcd certs rotate')
    expect(run).toSucceed()
    expect(run.stderr).toContain('goes on where an earlier run was cut off')
    const after = await certificates()
    for (const member of members.slice(0, 2)) expect(after[`${member} server`]).toEqual(middle[`${member} server`])
    await allAreWell()
  })

  test('an authority that did not sign what runs is refused', async () => {
    const own = await storedAuthority()
    const other = createAuthority('Other', { days: 100 })
    await writeFile(stored('ca.crt'), other.certificate)
    await writeFile(stored('ca.key'), other.key)
    try {
      for (const words of ['', ' --dry-run', ' --ca', ' --ca --dry-run'].map(flags => `etcd certs rotate${flags}`)) {
        const run = await karmadaNet(words)
        expect(run).toFailWith(/the certificates were signed by karmada-net etcd certs, not by the authority in/, {
          hint: 'nothing was changed',
        })
      }
    } finally {
      await writeFile(stored('ca.crt'), own.certificate)
      await writeFile(stored('ca.key'), own.key)
    }
    await allAreWell()
  })
})

describe('export', () => {
  test('writes what a consumer needs, its key for its owner alone', async () => {
    const out = join(folder, 'apiserver')
    const run = await karmadaNet(`etcd certs export karmada-apiserver --out ${out}`)
    expect(run).toSucceed()
    expect(run.stdout).toBe(['ca.crt', 'tls.crt', 'tls.key'].map(file => `${join(out, file)}\n`).join(''))
    expect((await stat(join(out, 'tls.key'))).mode & 0o777).toBe(0o600)
    expect(await answers(out)).toBe(true)
  })

  test('refuses whom the inventory does not name', async () => {
    expect(await karmadaNet(`etcd certs export nobody --out ${folder}`)).toFailWith('no consumer "nobody" in certs', {
      hint: 'karmada-apiserver',
    })
  })
})

/** Does every member answer to whom holds these files? */
async function answers(out: string, asked = members): Promise<boolean> {
  const [ca = '', certificate = '', key = ''] = await Promise.all(
    ['ca.crt', 'tls.crt', 'tls.key'].map(file => readFile(join(out, file), 'utf8')),
  )
  const asking = asked.map(async member => {
    const client = createEtcdClient(`https://${sandbox.machine(member).address}:2379`, async () => ({
      ca,
      certificate,
      key,
    }))
    try {
      return (await client.range({ key: 'a' })).revision > 0n
    } catch {
      return false
    } finally {
      client.close()
    }
  })
  return (await Promise.all(asking)).every(Boolean)
}

async function exportTo(name: string): Promise<string> {
  const out = join(folder, name)
  expect(await karmadaNet(`etcd certs export karmada-apiserver --out ${out}`)).toSucceed()
  return out
}

describe('rotate --ca', () => {
  test('a member that is down is brought back first', async () => {
    const [follower = ''] = await etcd.followers()
    await etcd.stop(follower)
    for (const flags of ['--dry-run', '']) {
      const run = await karmadaNet(`etcd certs rotate --ca ${flags}`.trim())
      expect(run).toFailWith(new RegExp(`${follower} (server|not healthy)`))
    }
    expect(await karmadaNet('etcd up')).toSucceed()
    expect(Object.keys(await certificates())).toContain('authority')
  })

  test('changes the authority under 400 puts a second, and stops for the consumers', async () => {
    const old = await storedAuthority()
    const before = await exportTo('before')
    const { lost, refusals } = await etcd.underWrites(async ledger => {
      const begun = await karmadaNet('etcd certs rotate --ca')
      expect(begun).toSucceed()
      expect(begun.stderr).toContain('etcd certs export karmada-apiserver --out DIR')
      expect(begun.stderr).toContain('etcd certs rotate --ca --finish')
      // Whoever has only the old files loses nothing yet, and who has the new ones is let in.
      expect([await answers(before), await answers(await exportTo('new'))]).toEqual([true, true])
      // Without being told that consumers have theirs it goes no further.
      const again = await karmadaNet('etcd certs rotate --ca')
      expect(again).toSucceed()
      expect(again.stderr).toContain('karmada-apiserver --out DIR   (was exported)')
      expect(await answers(before)).toBe(true)
      await ledger.nextAck()
      const finished = await karmadaNet('etcd certs rotate --ca --finish')
      expect(finished).toSucceed()
      expect(finished.stderr).toContain('The old one is trusted by no member any more')
    })
    expect([lost, refusals]).toEqual([[], expect.anything()])
    for (const member of members) {
      for (const port of [2379, 2380]) {
        expect((await served(member, port)).verify(new X509Certificate(old.certificate).publicKey)).toBe(false)
      }
      expect(await answers(before, [member])).toBe(false)
    }
    expect(await answers(join(folder, 'new'))).toBe(true)
    await allAreWell()
    expect(await karmadaNet('etcd up')).toSucceed()
  })

  test('--finish without a beginning', async () => {
    for (const words of ['etcd certs rotate --ca --finish', 'etcd certs rotate --ca --finish --dry-run'])
      expect(await karmadaNet(words)).toFailWith('no change of the authority is under way')
  })

  test('cut off in the middle of both parts, and the leader killed: the same command goes on, nothing is lost', async () => {
    const { lost } = await etcd.underWrites(async ledger => {
      const cutAt = (words: string, pattern: RegExp, afterMs: number) =>
        runUntil(words, pattern, ({ pid }) => setTimeout(() => process.kill(pid, 'SIGINT'), afterMs))
      expect((await cutAt('etcd certs rotate --ca', /✓ New authority/, 2500)).code).toBe(130)
      await etcd.kill(await etcd.leader())
      await ledger.nextAck()
      await eventually(60, async () => expect(await karmadaNet('etcd certs rotate --ca')).toSucceed())
      await exportTo('cut')
      const cut = await cutAt('etcd certs rotate --ca --finish', /✓ Nothing of the old authority/, 1500)
      expect(cut.code).toBe(130)
      // It was confirmed already.
      await eventually(60, async () => expect(await karmadaNet('etcd certs rotate --ca')).toSucceed())
    })
    expect(lost).toEqual([])
    expect(await answers(join(folder, 'cut'))).toBe(true)
    await allAreWell()
  })

  test('a consumer that was forgotten is named, and still has members that let it in', async () => {
    const forgotten = await exportTo('forgotten')
    const etcdctl = join(sandbox.bin, 'etcdctl')
    const endpoints = members.map(member => `https://${sandbox.machine(member).address}:2379`)
    let asking = true
    const consumer = (async () => {
      while (asking) {
        for (const endpoint of endpoints) {
          const files = `--cacert ${forgotten}/ca.crt --cert ${forgotten}/tls.crt --key ${forgotten}/tls.key`
          await sandbox.attempt([
            etcdctl,
            `--endpoints=${endpoint}`,
            ...files.split(' '),
            '--dial-timeout=1s',
            '--command-timeout=1s',
            'get',
            'a',
          ])
        }
        await sleep(200)
      }
    })()
    try {
      expect(await karmadaNet('etcd certs rotate --ca')).toSucceed()
      const run = await karmadaNet('etcd certs rotate --ca --finish')
      expect(run).toFailWith(
        /the first that shows a certificate of the new authority, is not trusted by clients at 198\./,
        {
          hint: 'give these consumers their new files',
        },
      )
      expect(await answers(forgotten, members.slice(1))).toBe(true)
      await exportTo('forgotten')
      expect(await karmadaNet('etcd certs rotate --ca')).toSucceed()
    } finally {
      asking = false
      await consumer
    }
    expect(await answers(forgotten)).toBe(true)
    await allAreWell()
  })

  test("to an authority of one's own; one that cannot sign is refused", async () => {
    const given = createAuthority('Example Root', { days: 1000 })
    const leafOfIt = leaf(given, ['192.0.2.1']).split('-----BEGIN PRIVATE')[0] ?? ''
    const [certificate, key, wrong] = ['own.crt', 'own.key', 'leaf.crt'].map(name => join(folder, name))
    await Promise.all([
      writeFile(certificate ?? '', given.certificate),
      writeFile(key ?? '', given.key),
      writeFile(wrong ?? '', leafOfIt),
    ])
    expect(await karmadaNet(`etcd certs rotate --ca --ca-cert ${wrong} --ca-key ${key}`)).toFailWith(
      'planted is not an authority',
    )
    expect(await karmadaNet(`etcd certs rotate --ca --ca-cert ${certificate}`)).toFailWith('go together')
    expect(await karmadaNet(`etcd certs rotate --ca --yes --ca-cert ${certificate} --ca-key ${key}`)).toSucceed()
    expect((await storedAuthority()).certificate).toBe(given.certificate)
    expect((await served(first, 2379)).issuer).toBe('CN=Example Root')
    await allAreWell()
  })
})
