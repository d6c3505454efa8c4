import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { UserError } from '../errors.ts'
import { type Kubeconfig, mergeKubeconfigs, parseKubeconfig } from './kubeconfig.ts'
import { readFile } from './read-file.ts'

export interface KubeconfigSource {
  env: Record<string, string | undefined>
  /** `--kubeconfig`: this file alone, and it must be there. */
  path?: string | undefined
}

/**
 * The kubeconfig that kubectl would use: `--kubeconfig`, or the files of KUBECONFIG merged, or ~/.kube/config.
 * Missing files count as empty, except an explicit one. Throws `UserError` naming the file that cannot be read or parsed.
 */
export async function loadKubeconfig({ env, path }: KubeconfigSource): Promise<Kubeconfig> {
  const names = path ? [path] : kubeconfigFiles(env)
  const files = await Promise.all(names.map(name => loadFile(resolve(name), path !== undefined && path !== '')))
  return mergeKubeconfigs(files.filter(file => file !== undefined))
}

/** The files that KUBECONFIG names, or the one in the home directory. They need not exist. */
export function kubeconfigFiles(env: Record<string, string | undefined>): string[] {
  if (env['KUBECONFIG']) return [...new Set(env['KUBECONFIG'].split(delimiter).filter(name => name !== ''))]
  return [join(env['HOME'] || env['USERPROFILE'] || homedir(), '.kube', 'config')]
}

async function loadFile(file: string, required: boolean): Promise<Kubeconfig | undefined> {
  try {
    return parseKubeconfig(await readFile(file, 'utf8'), file)
  } catch (error) {
    if (error instanceof UserError) throw error
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' && !required) return undefined
    throw new UserError(`kubeconfig ${file} cannot be read: ${reasons[code ?? ''] ?? code ?? String(error)}`, {
      cause: error,
    })
  }
}

const reasons: Record<string, string> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
}
