import { execFile } from 'node:child_process'
import { realpath } from 'node:fs/promises'
import { promisify } from 'node:util'

/** A file of this machine, and where an image has it. */
export interface CopiedFile {
  path: string
  source: string
}

/** The shared libraries of programs, and their loader, each once and at the place where the loader looks. Throws what `ldd` said. */
export async function librariesOf(programs: readonly string[]): Promise<CopiedFile[]> {
  const said = await Promise.all(programs.map(program => promisify(execFile)('ldd', [program])))
  const paths = new Set(
    said.flatMap(({ stdout }) => [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(found => found[1])),
  )
  const sorted = [...paths].filter(path => path !== undefined).sort()
  return Promise.all(sorted.map(async path => ({ path, source: await realpath(path) })))
}
