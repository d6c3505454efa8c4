import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** The repository's own Node, to the patch: what is packaged runs on it. */
export const base = join(root, 'node_modules/node/bin/node')

/** Of that Node, as `24.21.0`. */
export const baseVersion = (): Promise<string> => versionIn('node_modules/node/package.json')

/** Of the project, as `0.1.0`. */
export const version = (): Promise<string> => versionIn('package.json')

async function versionIn(file: string): Promise<string> {
  return (JSON.parse(await readFile(join(root, file), 'utf8')) as { version: string }).version
}
