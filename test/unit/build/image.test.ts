import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ArchiveOptions, type ImageSpec, imageArchive } from '../../../src/build/image/archive.ts'
import { tarHeader } from '../../../src/build/tar.ts'
import { withDigests } from '../../setup/images.ts'
import { run } from '../../setup/run.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archive-'))
  await writeFile(join(folder, 'program'), 'x'.repeat(70_000))
})
afterAll(() => rm(folder, { recursive: true }))

const digest = `sha256:${'a'.repeat(64)}`
const spec = (): ImageSpec => ({
  references: ['docker.io/library/thing:1', `docker.io/library/thing@${digest}`],
  config: { Entrypoint: ['/bin/program'] },
  layers: [
    [
      { path: '/bin/program', source: join(folder, 'program') },
      { path: '/bin/alias', target: 'program' },
      { path: '/etc/passwd', content: 'root:x:0:0::/:/bin/sh\n' },
    ],
    [{ path: '/opt/ours', content: 'changes more often\n' }],
  ],
})

async function bytes(image: ImageSpec, options?: ArchiveOptions): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(imageArchive(image, options)))
}

/** The real tar takes it apart. */
const inArchive = async (archive: Buffer, path: string): Promise<string> =>
  (await run(['tar', '-xO', '-f', '-', path], { input: [archive] })).stdout

interface Manifest {
  config: { digest: string; size: number }
  layers: { digest: string; size: number }[]
}

test('every digest in the archive is that of its bytes', async () => {
  const archive = await bytes(spec())
  const index = JSON.parse(await inArchive(archive, 'index.json')) as { manifests: { digest: string }[] }
  const blob = (name: string) => inArchive(archive, `blobs/${name.replace(':', '/')}`)
  const manifestDigest = index.manifests[0]?.digest ?? ''
  const manifest = JSON.parse(await blob(manifestDigest)) as Manifest
  for (const { digest, size } of [manifest.config, ...manifest.layers]) {
    const content = await blob(digest)
    expect(`sha256:${createHash('sha256').update(content).digest('hex')}`).toBe(digest)
    expect(content.length).toBe(size)
  }
  const config = JSON.parse(await blob(manifest.config.digest)) as { rootfs: { diff_ids: string[] } }
  expect(config.rootfs.diff_ids).toEqual(manifest.layers.map(layer => layer.digest))
})

test('containerd is given every reference, docker the tagged ones', async () => {
  const archive = await bytes(spec())
  const index = JSON.parse(await inArchive(archive, 'index.json')) as {
    manifests: { annotations: Record<string, string> }[]
  }
  expect(index.manifests.map(({ annotations }) => annotations['io.containerd.image.name'])).toEqual(spec().references)
  const docker = JSON.parse(await inArchive(archive, 'manifest.json')) as { RepoTags: string[] }[]
  expect(docker[0]?.RepoTags).toEqual(['docker.io/library/thing:1'])
})

/** `tar -tv` of a layer, without times. */
async function linesOf(archive: Buffer, index: number): Promise<string[]> {
  const docker = JSON.parse(await inArchive(archive, 'manifest.json')) as { Layers: string[] }[]
  const layer = Buffer.from(await inArchive(archive, docker[0]?.Layers[index] ?? ''))
  const { stdout } = await run(['tar', '-tv', '-f', '-'], { input: [layer] })
  return stdout
    .trim()
    .split('\n')
    .map(line => line.replace(/\s+/g, ' ').replace(/ \d{4}-\d\d-\d\d \d\d:\d\d/, ''))
}

test('layers hold files, links and the folders above them', async () => {
  const archive = await bytes(spec())
  expect(await linesOf(archive, 1)).toEqual(['drwxr-xr-x root/root 0 opt/', '-rw-r--r-- root/root 19 opt/ours'])
  expect(await linesOf(archive, 0)).toEqual([
    'drwxr-xr-x root/root 0 bin/',
    'drwxr-xr-x root/root 0 etc/',
    'drwxrwxrwt root/root 0 tmp/',
    '-rwxr-xr-x root/root 70000 bin/program',
    'lrwxrwxrwx root/root 0 bin/alias -> program',
    '-rw-r--r-- root/root 22 etc/passwd',
  ])
})

test('the same files give the same bytes', async () => {
  expect((await bytes(spec())).equals(await bytes(spec()))).toBe(true)
})

test('what an image store has already can be left out', async () => {
  const list = async (archive: Buffer) => (await run(['tar', '-t', '-f', '-'], { input: [archive] })).stdout.split('\n')
  const [whole, thin] = await Promise.all([bytes(spec()), bytes(spec(), { known: 1 })])
  const docker = JSON.parse(await inArchive(thin, 'manifest.json')) as { Layers: string[] }[]
  const rest = await list(thin)
  expect((await list(whole)).filter(path => !rest.includes(path))).toEqual([docker[0]?.Layers[0]])
  expect(await inArchive(thin, 'index.json')).toBe(await inArchive(whole, 'index.json'))
})

test('a path longer than a tar archive can hold is refused', () => {
  expect(() => tarHeader({ path: 'x'.repeat(101) })).toThrow('too long')
  expect(tarHeader({ path: `${'d'.repeat(90)}/${'f'.repeat(90)}` }).toString('latin1', 345, 435)).toBe('d'.repeat(90))
})

test.each([
  ['docker.io/library/thing:1', ['docker.io/library/thing:1', `docker.io/library/thing@${digest}`]],
  ['docker.io/library/other:1', ['docker.io/library/other:1']],
])('%s answers to the digests it is pinned by', (reference, references) => {
  expect(withDigests([reference], new Map([['docker.io/library/thing:1', new Set([digest])]]))).toEqual(references)
})
