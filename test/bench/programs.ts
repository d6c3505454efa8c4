import { existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { env, execPath } from 'node:process'
import { executableOf } from '../../src/build/package-executable.ts'
import { ensureComponents } from '../setup/components.ts'
import { createReport } from '../setup/report.ts'

/** The reference: kubectl of the sandbox, built when it is not there. */
export const kubectl: string = join(await ensureComponents(createReport()), 'kubectl')

/** What `npm run build` and `npm run package` have made. */
export const ours: { name: string; path: string }[] = [
  { name: 'bundle', path: join(import.meta.dirname, '../../dist/kubectl-karmada_net') },
  { name: 'standalone', path: executableOf('kubectl-karmada_net') },
].filter(({ path }) => existsSync(path))

/** The bundle asks for `node` by its first line: let it be this one. */
export const withThisNode: NodeJS.ProcessEnv = { ...env, PATH: [dirname(execPath), env['PATH']].join(delimiter) }
