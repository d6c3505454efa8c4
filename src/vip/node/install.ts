import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { UserError } from '../../errors.ts'
import { type BootKind, bootFiles, hostPathOf, parseSysctls, sysctlLines } from './boot-files.ts'
import { isThere, linkIfDifferent, readIfThere, writeIfDifferent } from './files.ts'
import { installed, programsFolder, sysctls, unitFile, wantsLink } from './host.ts'

/** The paths that go along, of the image. */
const listFile = '/karmada-net/boot-files'

export interface InstallOptions {
  /** Where the host's /etc, /opt, /run, /var/lib and /proc/sys/net are: `/host`. */
  root: string
  /** Where the image's files are. Default: where this process has them. */
  image?: string
  /** Makes the kernel load IPVS. */
  loadModules(): Promise<void>
}

export interface Installed {
  boot: BootKind
  /** What was written, as paths of the host. */
  changed: string[]
}

/**
 * Makes a node ready for the virtual IP and for its own next boot: programs, unit, modules, sysctls. Safe to repeat: what is so stays.
 * Throws `UserError` where the kernel has no IPVS or a file cannot be written.
 */
export async function install({ root, image = '', loadModules }: InstallOptions): Promise<Installed> {
  const boot: BootKind = (await isThere(join(root, '/run/systemd/system'))) ? 'systemd' : 'none'
  const changed: string[] = []
  const write = async (path: string, content: string | Buffer, mode?: number) => {
    if (await guarded(path, writeIfDifferent(join(root, path), content, mode))) changed.push(path)
  }
  for (const path of await copyPrograms(root, image, write)) changed.push(path)
  await loadModules()
  changed.push(...(await setSysctls(root, write)))
  // The unit comes last: what it calls is there.
  for (const { path, content, mode } of bootFiles(boot)) await write(path, content, mode)
  if (boot === 'systemd' && (await guarded(wantsLink, linkIfDifferent(join(root, wantsLink), unitFile))))
    changed.push(wantsLink)
  await write(installed.boot, `${JSON.stringify({ kind: boot, installed: boot === 'systemd' })}\n`)
  return { boot, changed }
}

type Write = (path: string, content: string | Buffer, mode?: number) => Promise<void>

/** Answers what an older version had and this one has not, which is removed. */
async function copyPrograms(root: string, image: string, write: Write): Promise<string[]> {
  const paths = (await readFile(join(image, listFile), 'utf8')).split('\n').filter(Boolean)
  for (const path of paths) await write(hostPathOf(path), await readFile(join(image, path)), 0o755)
  const removed: string[] = []
  for (const folder of ['bin', 'lib']) {
    const known = paths.map(hostPathOf).filter(path => path.startsWith(`${programsFolder}/${folder}/`))
    const there = await readdir(join(root, programsFolder, folder)).catch(() => [])
    for (const name of there.filter(name => !known.some(path => basename(path) === name))) {
      await rm(join(root, programsFolder, folder, name), { recursive: true, force: true })
      removed.push(`${programsFolder}/${folder}/${name}`)
    }
  }
  return removed
}

/** Remembers what was there once, before the first change. */
async function setSysctls(root: string, write: Write): Promise<string[]> {
  const found = await readSysctls(root)
  const remembered = parseSysctls((await readIfThere(join(root, installed.sysctlsBefore))) ?? '')
  await write(installed.sysctlsBefore, sysctlLines({ ...found, ...remembered }))
  const changed: string[] = []
  for (const [name, value] of Object.entries(sysctls)) {
    if (found[name] === value) continue
    const path = `/proc/sys/${name}`
    await guarded(path, writeSysctl(root, name, value))
    changed.push(path)
  }
  return changed
}

async function readSysctls(root: string): Promise<Record<string, string>> {
  const values = await Promise.all(
    Object.keys(sysctls).map(async name => {
      const text = await readIfThere(join(root, '/proc/sys', name))
      if (text !== undefined) return [name, text.trim()] as const
      throw new UserError(`the kernel has no ${name}: IPVS (module ip_vs) is missing`, {
        hint: 'on the node: modprobe ip_vs; its packages of kernel modules may have to be installed',
      })
    }),
  )
  return Object.fromEntries(values)
}

export async function writeSysctl(root: string, name: string, value: string): Promise<void> {
  await writeFile(join(root, '/proc/sys', name), `${value}\n`)
}

/** Says which file of the host it is about: the path in the container would mislead. */
async function guarded<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === undefined ? message : (reasons[code] ?? code)
    throw new UserError(`${path} of the node cannot be written: ${why}`, { cause: error })
  }
}

const reasons: Record<string, string> = {
  EROFS: 'its file system is read-only',
  EACCES: 'permission denied (SELinux or AppArmor of the node may say why in its audit log)',
  EPERM: 'not permitted',
  ENOSPC: 'its disk is full',
}
