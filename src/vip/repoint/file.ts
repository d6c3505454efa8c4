import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { UserError } from '../../errors.ts'
import { type Target, targetOf } from './kubeconfig.ts'

/** Beside the file: what it was before it led to the virtual IP. */
export const backupOf = (file: string): string => `${file}.karmada-net-before`

export interface KubeconfigFile {
  text: string
  target: Target
  /** Undefined: there is none. */
  before: string | undefined
  modifiedMs: number
}

/** Throws `UserError` where it leads nowhere, or is no file of its own. */
export function readKubeconfigFile(file: string): KubeconfigFile {
  if (!lstatSync(file, { throwIfNoEntry: false })?.isFile())
    throw new UserError(`${file} is not there, or is a link: it can only be changed by hand`)
  const text = readFileSync(file, 'utf8')
  const target = targetOf(text)
  if (!target) throw new UserError(`${file} names no API server`)
  const backup = backupOf(file)
  const before = existsSync(backup) ? readFileSync(backup, 'utf8') : undefined
  return { text, target, before, modifiedMs: statSync(file).mtimeMs }
}

/** Whoever reads it meanwhile has the old one whole; mode and owner stay. */
export function replaceFile(file: string, text: string, like = file): void {
  const { mode, uid, gid } = statSync(like)
  const fresh = `${file}.karmada-net-new`
  rmSync(fresh, { force: true })
  // It may hold a key: nobody sees it before it has the old one's mode.
  writeFileSync(fresh, text, { mode: 0o600, flush: true })
  chownSync(fresh, uid, gid)
  chmodSync(fresh, mode & 0o777)
  renameSync(fresh, file)
}

export const removeFile = (file: string): void => rmSync(file, { force: true })
