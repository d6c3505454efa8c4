import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { run } from '../setup/run.ts'
import type { Sandbox } from './index.ts'

const root = join(import.meta.dirname, '../..')

/** Builds the plugin and makes it callable as `kubectl karmada-net` where the returned folder is on the PATH. */
export async function installPlugin({ dir }: Sandbox): Promise<string> {
  await run([execPath, join(root, 'src/build/build.ts')], { cwd: root })
  const folder = join(dir, 'plugin')
  await mkdir(folder, { recursive: true })
  const program = join(root, 'dist/kubectl-karmada_net')
  // The system's Node may be too old for it; the project's own is not.
  const script = (argv0: string) => `#!/bin/sh\nexec '${execPath}' '${program}' ${argv0}"$@"\n`
  await writeFile(join(folder, 'kubectl-karmada_net'), script(''), { mode: 0o755 })
  await writeFile(join(folder, 'kubectl_complete-karmada_net'), script('__complete '), { mode: 0o755 })
  return folder
}
