import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { etcd } from '../../../src/commands/etcd/index.ts'
import { fakeIo, runCaptured, tableOf } from '../cli/fake-io.ts'
import { authority, base64 } from '../kube/fake-apiserver.ts'
import { fakeCluster } from '../topology/fakes.ts'

let dir: string
let here: Awaited<ReturnType<typeof fakeCluster>>
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'karmada-net-etcd-'))
  here = await fakeCluster('uid-here')
})
afterAll(async () => {
  await here.close()
  await rm(dir, { recursive: true, force: true })
})

async function status(servers: Record<string, string>) {
  const named = Object.entries(servers)
  const kubeconfig = {
    clusters: named.map(([name, server]) => ({
      name,
      cluster: { server, 'certificate-authority-data': base64(authority.certificate) },
    })),
    users: [{ name: 'alice', user: { token: 'secret' } }],
    contexts: named.map(([name]) => ({ name, context: { cluster: name, user: 'alice' } })),
  }
  await writeFile(join(dir, 'config'), JSON.stringify(kubeconfig))
  const env = { KUBECONFIG: join(dir, 'config'), KARMADA_NET_STATE: join(dir, 'state') }
  return runCaptured(tableOf(etcd), ['etcd', 'status'], fakeIo({ env }))
}

test('a cluster that no context knows is not there', async () => {
  expect((await status({ here: here.url })).stderr).toBe(`\
error: there is no etcd cluster in ${dir}/state, nor in a context of the kubeconfig
hint: kubectl karmada-net etcd up begins one; --state names another folder
`)
})

test('a cluster that an unreachable context may know is not said to be missing', async () => {
  expect((await status({ here: here.url, away: 'https://127.0.0.1:9' })).stderr).toBe(`\
error: no etcd cluster was found in ${dir}/state, and these contexts did not answer: away
hint: kubectl karmada-net contexts
`)
})
