import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { contexts } from '../../../src/commands/contexts.ts'
import { memberNames } from '../../../src/commands/session.ts'
import { fakeIo, fakeSession, runCaptured, tableOf } from '../cli/fake-io.ts'
import { authority, base64, type FakeApiServer } from '../kube/fake-apiserver.ts'
import { fakeCluster, fakeHost, fakePlane } from '../topology/fakes.ts'
import { cluster } from '../topology/probes.ts'

let dir: string
let servers: Record<string, FakeApiServer>
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'karmada-net-contexts-'))
  servers = {
    hub: await fakeHost('uid-hub'),
    karmada: await fakePlane('uid-karmada', [cluster('member1', 'Pull', 'edge'), cluster('member2')]),
    edge: await fakeCluster('uid-edge'),
  }
  const named = Object.entries({ ...servers, away: { url: 'https://127.0.0.1:9' } })
  const config = {
    clusters: named.map(([name, { url }]) => ({
      name,
      cluster: { server: url, 'certificate-authority-data': base64(authority.certificate) },
    })),
    users: [{ name: 'alice', user: { token: 'secret' } }],
    contexts: named.map(([name]) => ({ name, context: { cluster: name, user: 'alice' } })),
  }
  await writeFile(join(dir, 'config'), JSON.stringify(config))
})
afterAll(async () => {
  await Promise.all(Object.values(servers).map(server => server.close()))
  await rm(dir, { recursive: true, force: true })
})

const run = (...argv: string[]) =>
  runCaptured(tableOf(contexts), ['contexts', ...argv], fakeIo({ env: { KUBECONFIG: join(dir, 'config') } }))

test('a table', async () => {
  const { code, stdout } = await run()
  expect(code).toBe(0)
  expect(stdout).toBe(`\
CONTEXT   ROLE            CLUSTER   PLANE     VERSION   ACCESS       NOTE
hub       host            -         karmada   v1.35.4   ok           karmada-system, by karmadactl v1.18.2
karmada   plane           karmada   -         v1.35.4   ok           2 members: 2 pull
edge      member (pull)   member1   karmada   v1.35.4   ok
-         member (pull)   member2   karmada   v1.34.1   no context   hub-only delivery will be used
away      unreachable     -         -         -         refused      dial 127.0.0.1:9: connection refused
`)
})

test('wide adds who installed Karmada, and the servers', async () => {
  const { stdout } = await run('-owide')
  expect(stdout).toContain('INSTALLED BY')
  expect(stdout).toMatch(
    /^karmada +plane +karmada +- +karmadactl v1\.18\.2 +v1\.35\.4 +ok +https:\/\/127\.0\.0\.1:\d+ /m,
  )
})

test('names are those of contexts', async () => {
  expect((await run('-o', 'name')).stdout).toBe('hub\nkarmada\nedge\naway\n')
})

test('JSON has all rows', async () => {
  const { items } = JSON.parse((await run('-ojson')).stdout)
  expect(items).toHaveLength(5)
  expect(items[3]).toEqual({
    role: 'member',
    mode: 'Pull',
    cluster: 'member2',
    planes: ['karmada'],
    installations: [],
    version: 'v1.34.1',
    access: 'no context',
    note: 'hub-only delivery will be used',
  })
})

test('an empty kubeconfig is no error', async () => {
  const result = await runCaptured(tableOf(contexts), ['contexts'], fakeIo({ env: { KUBECONFIG: join(dir, 'none') } }))
  expect(result).toEqual({ code: 0, stdout: '', stderr: 'The kubeconfig has no contexts\n' })
})

test('members complete with their mode, those already named left out', async () => {
  const session = fakeSession(fakeIo({ env: { KUBECONFIG: join(dir, 'config') } }))
  const flags = { memberContext: [] }
  const context = { current: '', words: ['member1'], flags, session }
  expect(await memberNames('Pull')(context)).toEqual([{ word: 'member2', description: 'pull mode' }])
  expect(await memberNames('Push')(context)).toEqual([])
})
