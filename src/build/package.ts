import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Metafile } from 'esbuild'
import { load } from 'js-yaml'
import { bundleAgents, nodeFlags } from './agents.ts'
import { bundle } from './bundle.ts'
import { makeImage } from './image/file.ts'
import { licencesText, thirdParties } from './licences.ts'
import { baseVersion, version as ownVersion } from './node.ts'
import { executableOf, makeExecutable, settingsFor, target } from './package-executable.ts'
import { fillManifest, type PluginManifest } from './package-manifest.ts'
import { brokenRules } from './package-rules.ts'
import { tarEnd, tarFile } from './tar.ts'

const root = join(import.meta.dirname, '../..')
const dist = join(root, 'dist')

export interface Package {
  archive: string
  manifest: string
  /** False where what is there was made from the same sources. */
  made: boolean
}

/**
 * Makes dist/karmada-net_vVERSION_OS_ARCH.tar.gz, its .sha256 and dist/plugin.yaml. `url` is the folder that the archive will be
 * downloaded from; without it the manifest names the archive alone, which `krew install --archive` is content with.
 */
export async function makePackage({ url = '' }: { url?: string | undefined } = {}): Promise<Package> {
  const version = await ownVersion()
  const name = archiveOf('karmada-net', version)
  const made = await makeArchive(join(dist, name), await plugin())

  const sha256 = await writeDigest(join(dist, name))
  const archive = { ...target, uri: url ? `${url.replace(/\/$/, '')}/${name}` : name, sha256 }
  const manifest = fillManifest(await readFile(join(root, 'plugin.yaml'), 'utf8'), version, [archive])
  const broken = brokenRules(load(manifest) as PluginManifest)
  if (broken.length > 0) throw new Error(`krew would refuse the manifest:\n  ${broken.join('\n  ')}`)
  await replace(join(dist, 'plugin.yaml'), manifest)
  return { archive: join(dist, name), manifest: join(dist, 'plugin.yaml'), made }
}

/** For nodes that no DaemonSet reaches. Answers as `makePackage` of its archive. */
export async function packageAgent(): Promise<Pick<Package, 'archive' | 'made'>> {
  const archive = join(dist, archiveOf('karmada-net-vip', await ownVersion()))
  const made = await makeArchive(archive, await vipAgent())
  await writeDigest(archive)
  return { archive, made }
}

/** Beside the archive, as `sha256sum --check` reads it. Answers the digest. */
async function writeDigest(archive: string): Promise<string> {
  const sha256 = digest(await readFile(archive))
  await replace(`${archive}.sha256`, `${sha256}  ${basename(archive)}\n`)
  return sha256
}

const archiveOf = (name: string, version: string) => `${name}_v${version}_${target.os}_${target.arch}.tar.gz`

/** One program, and what is in it. */
interface Product {
  name: string
  /** The bundle, written. */
  program: string
  metafile: Metafile
  /** Node's. */
  flags: readonly string[]
}

async function plugin(): Promise<Product> {
  const name = 'kubectl-karmada_net'
  const program = join(dist, name)
  const { metafile } = await bundle({ outfile: program })
  return { name, program, metafile, flags: [] }
}

async function vipAgent(): Promise<Product> {
  const agent = (await bundleAgents()).find(({ name }) => name === 'vip')
  if (!agent) throw new Error('there is no src/agents/vip.ts')
  const name = 'karmada-net-vip'
  const program = join(dist, `${name}.cjs`)
  await replace(program, agent.text)
  return { name, program, metafile: agent.metafile, flags: nodeFlags }
}

/** Answers false where the archive is there and was made from the same bundle, Node and settings. */
async function makeArchive(path: string, { name, program, metafile, flags }: Product): Promise<boolean> {
  const [source, licence] = await Promise.all([readFile(program), readFile(join(root, 'LICENSE'))])
  const others = Buffer.from(licencesText(name, await thirdParties(metafile)))
  const key = digest(source, licence, others, JSON.stringify([await baseVersion(), settingsFor(flags)]))
  const executable = executableOf(name)
  const keyFile = `${executable}.made-from`
  const before = await readFile(keyFile, 'utf8').catch(() => '')
  if (before === key && existsSync(path) && existsSync(executable)) return false

  await makeExecutable(program, executable, flags)
  // Only regular files, which is all that krew unpacks.
  const tar = Buffer.concat([
    tarFile('LICENSE', licence, 0o644),
    tarFile('THIRD-PARTY-LICENSES', others, 0o644),
    tarFile(name, await readFile(executable), 0o755),
    tarEnd(),
  ])
  await replace(path, await promisify(gzip)(tar, { level: 9 }))
  await replace(keyFile, key)
  return true
}

/** Whoever reads the file meanwhile has the old one whole. */
async function replace(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dist, { recursive: true })
  await writeFile(`${path}.${process.pid}`, content)
  await rename(`${path}.${process.pid}`, path)
}

function digest(...parts: (string | Buffer)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { url: { type: 'string' } } })
  const started = performance.now()
  const { archive, manifest, made } = await makePackage(values)
  const agent = await packageAgent()
  const { path: image, reference } = await makeImage()
  const from = (path: string) => relative(process.cwd(), path)
  const took = `${((performance.now() - started) / 1000).toFixed(1)}s`
  const when = (each: { made: boolean }) => (each.made ? `made in ${took}` : 'made before from the same sources')
  process.stdout.write(`${from(archive)}: ${when({ made })}
Install it:  kubectl krew install --manifest=${from(manifest)} --archive=${from(archive)}
${from(agent.archive)}: ${when(agent)}, the agent of vip for nodes that no DaemonSet reaches
${from(image)}: ${reference}
Hand it over:  docker load -i ${from(image)}, or ctr -n k8s.io images import ${from(image)}\n`)
}
