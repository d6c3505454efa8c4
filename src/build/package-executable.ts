import { mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { base, baseVersion } from './node.ts'

const root = join(import.meta.dirname, '../..')

export const target = { os: 'linux', arch: 'amd64' }

export const executable = join(root, `dist/${target.os}_${target.arch}/kubectl-karmada_net`)

/** Node's single-executable settings that pkg passes on; it knows only the first three by name. */
export const settings = {
  disableExperimentalSEAWarning: true,
  useSnapshot: false,
  // Compiled code goes along: a start is 10% faster than with the source alone.
  useCodeCache: true,
  // NODE_OPTIONS are for the user's own Node programs: an editor's `--require debugger.js` in there must not reach this one.
  execArgvExtension: 'none',
}

/**
 * Writes `program` (one file, CommonJS) and Node as one executable. From the base given nothing is downloaded. Throws on a machine
 * that is not the target, whose Node is not the target's either. The blob and the Node that carries it must be of one version.
 */
export async function makeExecutable(program: string, outfile = executable): Promise<void> {
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
    seaConfig: settings,
    targets: [{ nodeRange: `node${await baseVersion()}`, platform: 'linux', arch: 'x64', output: unfinished }],
  })
  await rename(unfinished, outfile)
}
