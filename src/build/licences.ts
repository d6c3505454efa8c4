import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'

const root = join(import.meta.dirname, '../..')

/** Node's own licence, and with it those of everything that Node contains, lie where npm puts the executable. */
const nodeFolder = `node_modules/node/node_modules/node-${process.platform}-${process.arch}`

/** A piece of software of others that goes along with ours. */
export interface Licensed {
  name: string
  version: string
  /** The full text of its licence and, where it has them, its notices. */
  text: string
}

/** Node and every npm package of which the bundle holds a line, with their licences. Throws where a package brings no text of its own. */
export async function thirdParties(metafile: Metafile): Promise<Licensed[]> {
  const packages = await Promise.all(bundledFolders(metafile).map(folder => readLicensed(join(root, folder))))
  return [{ ...(await readLicensed(join(root, nodeFolder))), name: 'Node.js' }, ...packages]
}

/** The folders of packages, by name. Pure. */
export function bundledFolders({ outputs }: Metafile): string[] {
  const files = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  )
  const folders = files.flatMap(file => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? [])
  return [...new Set(folders)].sort()
}

/** What the folder of an installed package says of it. Throws where it brings no text of its licence. */
export async function readLicensed(folder: string): Promise<Licensed> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Omit<Licensed, 'text'>
  const { name, version } = manifest
  const files = (await readdir(folder)).filter(file => /^(licen[cs]e|copying|notice)(\.(md|txt))?$/i.test(file)).sort()
  if (!files.some(file => !/^notice/i.test(file))) throw new Error(`${name} ${version} brings no text of its licence`)
  const texts = await Promise.all(files.map(file => readFile(join(folder, file), 'utf8')))
  return { name, version, text: texts.map(text => text.replaceAll('\r\n', '\n').trim()).join('\n\n') }
}

/** One file of all of them, in the order given; `program` is what they are part of. Pure. */
export function licencesText(program: string, all: readonly Licensed[]): string {
  const line = '='.repeat(80)
  const parts = all.map(({ name, version, text }) => `${line}\n${name} ${version}\n${line}\n\n${text}\n`)
  return [`${program} contains the following software of others, under the licences given here.\n`, ...parts].join('\n')
}
