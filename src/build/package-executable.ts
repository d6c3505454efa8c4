import { mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { base, baseVersion } from './node.ts'

const root = join(import.meta.dirname, '../..')

export const target = { os: 'linux', arch: 'amd64' }

export const executableOf = (name: string): string => join(root, `dist/${target.os}_${target.arch}/${name}`)

/** Node's single-executable settings that pkg passes on; it knows only the first three by name. `execArgv`: Node's own flags. Pure. */
export const settingsFor = (execArgv: readonly string[]) => ({
  disableExperimentalSEAWarning: true,
  useSnapshot: false,
  // Compiled code goes along: a start is 10% faster than with the source alone. Other flags would have compiled it otherwise.
  useCodeCache: execArgv.length === 0,
  execArgv,
  // NODE_OPTIONS are for the user's own Node programs: an editor's `--require debugger.js` in there must not reach this one.
  execArgvExtension: 'none',
})

/**
 * Writes `program` (one file, CommonJS) and Node as one executable. From the base given nothing is downloaded. Throws on a machine
 * that is not the target, whose Node is not the target's either. The blob and the Node that carries it must be of one version.
 */
export async function makeExecutable(program: string, outfile: string, execArgv: readonly string[]): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(
      `packaging for ${target.os}/${target.arch} needs such a machine; this is ${process.platform}/${process.arch}`,
    )
  // Its public interface takes neither a base nor Node's settings. Imported when needed: it is large.
  const { default: pkg } = await import('@yao-pkg/pkg/lib-es5/sea.js')
  const unfinished = `${outfile}.${process.pid}`
  await mkdir(dirname(outfile), { recursive: true })
  await pkg.default(program, {
    nodePath: base,
    seaConfig: settingsFor(execArgv),
    targets: [{ nodeRange: `node${await baseVersion()}`, platform: 'linux', arch: 'x64', output: unfinished }],
  })
  await rename(unfinished, outfile)
}
