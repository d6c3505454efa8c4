import { basename } from 'node:path'
import unit from '../../../manifests/vip/karmada-net-vip.service'
import restore from '../../../manifests/vip/restore.sh'
import { modules, modulesFile, programsFolder, sysctlFile, sysctls, unitFile } from './host.ts'

export interface TextFile {
  path: string
  content: string
  mode: number
}

/** The files of text by which a node puts the virtual IP back at its next boot. Pure. */
export function bootFiles(kind: BootKind): TextFile[] {
  const file = (path: string, content: string, mode = 0o644): TextFile => ({ path, content, mode })
  const list = modules.map(name => `${name}\n`).join('')
  const settings = sysctlLines(sysctls)
  const everywhere = [
    file(`${programsFolder}/restore`, restore, 0o755),
    file(`${programsFolder}/modules`, list),
    file(`${programsFolder}/sysctls`, settings),
  ]
  if (kind === 'none') return everywhere
  const note = '# By kubectl karmada-net vip; "vip down" removes it.\n'
  return [...everywhere, file(modulesFile, note + list), file(sysctlFile, note + settings), file(unitFile, unit)]
}

/** How a node starts what it has to: nothing is installed for those that are not systemd's. */
export type BootKind = 'systemd' | 'none'

export const sysctlLines = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('')

/** The inverse of `sysctlLines`. Lines that are none are left out. */
export const parseSysctls = (text: string): Record<string, string> =>
  Object.fromEntries(
    text.split('\n').flatMap(line => {
      const [, name, value] = /^(\S+) = (\S+)$/.exec(line) ?? []
      return name === undefined || value === undefined ? [] : [[name, value]]
    }),
  )

/** Where a program or library of the image goes on the host. Pure. */
export const hostPathOf = (path: string): string =>
  `${programsFolder}/${/\.so(\.|$)/.test(basename(path)) ? 'lib' : 'bin'}/${basename(path)}`
