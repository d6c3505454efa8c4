import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commands } from '../../../src/commands/index.ts'
import { fakeIo, runCaptured } from '../cli/fake-io.ts'
import { authority, base64, startFakeApiServer, status } from '../kube/fake-apiserver.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'karmada-net-version-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

/** Runs `version ...` with a kubeconfig whose current context leads to `server`. */
async function version(server: string | undefined, ...args: string[]) {
  const file = join(dir, 'config')
  const cluster = { server, 'certificate-authority-data': base64(authority.certificate) }
  const config = {
    'current-context': 'hub',
    contexts: [{ name: 'hub', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: { token: 't' } }],
  }
  await writeFile(file, server ? JSON.stringify(config) : '')
  return runCaptured(commands, ['version', ...args], fakeIo({ env: { KUBECONFIG: file } }))
}

test('--client asks nobody', async () => {
  const { code, stdout, stderr } = await version('https://127.0.0.1:1', '--client')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^Client Version: v\d+\.\d+\.\d+\S*\n$/)
})

test.each(['json', 'yaml'])('-o %s for programs', async format => {
  const { stdout } = await version(undefined, '--client', '-o', format)
  const { clientVersion } = load(stdout) as { clientVersion: object }
  expect(clientVersion).toMatchObject({ nodeVersion: process.version, gitCommit: expect.any(String) })
  expect(clientVersion).toHaveProperty('platform', expect.stringMatching(/^(linux|darwin|windows)\/(amd64|arm64)$/))
})

test('a Karmada control plane is recognised', async () => {
  await using server = await startFakeApiServer()
  server.on('GET /version', { body: { gitVersion: 'v1.35.4' } })
  server.on('GET /apis/cluster.karmada.io', { body: { kind: 'APIGroup' } })
  const { code, stdout, stderr } = await version(server.url)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.split('\n')[1]).toBe('Server Version: v1.35.4 (Karmada)')
})

test('any other API server has a version too', async () => {
  await using server = await startFakeApiServer()
  server.on('GET /version', { body: { gitVersion: 'v1.36.0' } })
  const { stdout } = await version(server.url, '-ojson')
  expect(JSON.parse(stdout).serverVersion).toEqual({ gitVersion: 'v1.36.0', context: 'hub', karmada: false })
})

test.each(['', '-ojson'])('a server that is away costs a line on stderr and no more %s', async output => {
  const { code, stdout, stderr } = await version('https://127.0.0.1:1', ...(output ? [output] : []))
  expect({ code, lines: stderr.split('\n').length }).toEqual({ code: 0, lines: 2 })
  expect(stderr).toMatch(/^Warning: no server version: The connection to the server 127.0.0.1:1 was refused/)
  expect(stdout).toMatch(/v\d/)
})

test('so does one that refuses the user', async () => {
  await using server = await startFakeApiServer()
  server.on('GET /version', status(401, 'Unauthorized', 'Unauthorized'))
  const { code, stderr } = await version(server.url)
  expect(code).toBe(0)
  expect(stderr).toBe(`Warning: no server version: ${server.url}/version answered with status 401\n`)
})

test('no kubeconfig, no server', async () => {
  expect(await version(undefined)).toMatchObject({ code: 0, stderr: '' })
})

test('a context asked for must be there', async () => {
  const { code, stderr } = await version('https://127.0.0.1:1', '--context', 'hbu')
  expect(code).toBe(1)
  expect(stderr).toMatch(/^error: context "hbu" does not exist\n/)
})
