import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeImage } from '../../src/build/image/file.ts'
import { version } from '../../src/build/node.ts'
import { attempt, run } from '../setup/run.ts'

/** The image as a runtime unpacks it: layer upon layer. */
let folder: string
let image: { path: string; reference: string }
const root = () => join(folder, 'root')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-'))
  image = await makeImage()
  await run(['tar', '-x', '-f', image.path, '-C', folder])
  await run(['mkdir', root()])
  for (const layer of (await manifest()).Layers) await run(['tar', '-x', '-f', join(folder, layer), '-C', root()])
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

const manifest = async () => {
  const [only] = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as {
    RepoTags: string[]
    Layers: string[]
  }[]
  return only ?? { RepoTags: [], Layers: [] }
}

const inside = (...command: string[]) => run(['chroot', root(), ...command])

test('its name is the one that manifests ask for', async () => {
  expect((await manifest()).RepoTags).toEqual([image.reference])
  expect(image.reference).toBe(`ghcr.io/karmada-net/karmada-net:v${await version()}`)
})

test.each([
  [['/usr/local/bin/node', '--version'], /^v24\./],
  [['/sbin/ip', '-V'], /^ip utility/],
  [['/usr/local/bin/kubectl-karmada_net', 'version', '--client'], /^Client Version: v/],
])('%s runs with nothing but the image', async (command, said) => {
  expect((await inside(...command)).stdout).toMatch(said)
})

test('ipvsadm runs, as far as the kernel lets it', async () => {
  const { stdout, stderr } = await attempt(['chroot', root(), '/usr/sbin/ipvsadm', '--version'])
  // It asks the kernel before it says anything.
  expect(`${stdout}${stderr}`).toMatch(/^(ipvsadm v1\.|Can't initialize ipvs: )/)
})

test('there is no shell in it', async () => {
  const folders = ['bin', 'sbin', 'usr/bin', 'usr/sbin', 'usr/local/bin']
  const programs = await Promise.all(folders.map(each => readdir(join(root(), each)).catch(() => [])))
  expect(programs.flat().sort()).toEqual(['ip', 'ipvsadm', 'kubectl-karmada_net', 'node'])
})

test('made again it has the same bytes', async () => {
  const digest = async () => {
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(image.path)) hash.update(chunk as Buffer)
    return hash.digest('hex')
  }
  const before = await digest()
  await makeImage()
  expect(await digest()).toBe(before)
})
