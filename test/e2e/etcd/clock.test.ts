import { createPrivateKey } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { issue } from '../../../src/pki/certificate.ts'
import { openWorld } from '../plugin.ts'
import { openEtcdWorld } from './world.ts'

const etcd = await openEtcdWorld('clock')
const names = etcd.machines.slice(0, 3).map(({ name }) => name)
const [first = ''] = names
const all = names.join(', ')

/** The plugin on a machine with another clock than those of the members. */
const withClock = (shift: string) =>
  openWorld({
    KARMADA_NET_STATE: etcd.state,
    LD_PRELOAD: '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1',
    FAKETIME: shift,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  })
const ahead = await withClock('+1h')
const behind = await withClock('-1h')

const stored = (file: string) => join(etcd.state, 'etcd', etcd.cluster, file)
const timeService = { hint: /start a time service .* here/ }

beforeAll(() => etcd.clean())
afterAll(() => etcd.clean())

test("nothing is begun with this machine's clock ahead, nor with it behind", async () => {
  const members = names.map(name => `--member ${etcd.memberOf(name)}`).join(' ')
  for (const flags of [' --dry-run', '']) {
    const run = await ahead.karmadaNet(`etcd up ${etcd.cluster} ${members}${flags}`)
    expect(run).toFailWith(/this machine's clock is 36\d\d s ahead of those of etcd1, etcd2, etcd3/, timeService)
  }
  const run = await behind.karmadaNet(`etcd up ${etcd.cluster} ${members}`)
  expect(run).toFailWith(`s behind those of ${all}`, timeService)
})

test('no certificate is made that would not be valid where it is used; verify tells', async () => {
  await etcd.up()
  for (const words of ['certs rotate --dry-run', 'certs rotate', 'certs rotate --ca']) {
    const run = await ahead.karmadaNet(`etcd ${words}`)
    expect(run).toFailWith('certificates made now would not be valid there', timeService)
  }
  const replace = await ahead.karmadaNet(`etcd member replace ${first} --force`)
  expect(replace).toFailWith(/etcd1: its clock is 36\d\d s behind this machine's/, { hint: '"date -u" shows which' })
  const verify = await ahead.karmadaNet('etcd verify')
  expect(verify.stdout.match(/its clock is this machine's +3[56]\d{5} ms behind/g)).toHaveLength(3)
  expect(await etcd.karmadaNet('etcd verify')).toSucceed()
})

test('with it behind, what is said is about clocks, not about TLS', async () => {
  const status = await behind.karmadaNet('etcd status')
  expect(status.stdout.match(/ down +- .* its certificate is not valid yet$/gm)).toHaveLength(3)
  const verify = await behind.karmadaNet(`etcd verify ${first}`)
  expect(verify).toFailWith(`failed for ${first}`)
  expect(verify.stdout).toMatch(/its certificate is not valid yet: one of the two clocks is wrong/)
  expect(verify.stdout).toMatch(/hint: compare "date -u" here and there/)
})

/** What such a member sees: a client whose certificate begins later than its now. */
test("a member's clock behind: it says so of our certificate", async () => {
  const [certificate, key, kept] = await Promise.all(
    ['ca.crt', 'ca.key', 'clients/admin.crt'].map(file => readFile(stored(file), 'utf8')),
  )
  const keptKey = await readFile(stored('clients/admin.key'), 'utf8')
  const signer = { certificate: certificate ?? '', key: createPrivateKey(key ?? '') }
  const later = new Date(Date.now() + 2 * 3_600_000)
  const admin = issue(signer, { commonName: 'admin', usages: ['client'], days: 9, now: later })
  await writeFile(stored('clients/admin.crt'), admin.certificate)
  await writeFile(stored('clients/admin.key'), admin.key)
  const verify = await etcd.karmadaNet(`etcd verify ${first}`)
  expect(verify.stdout).toContain('by its clock our client certificate has expired or is not valid yet')
  expect(verify.stdout).toContain('hint: compare "date -u" here and there')
  await writeFile(stored('clients/admin.crt'), kept ?? '')
  await writeFile(stored('clients/admin.key'), keptKey)
  expect(await etcd.karmadaNet('etcd verify')).toSucceed()
})
