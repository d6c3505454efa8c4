import install from '../../../manifests/vip/install.sh'
import uninstall from '../../../manifests/vip/uninstall.sh'
import { bootFiles, type TextFile } from '../node/boot-files.ts'
import { installed } from '../node/host.ts'
import { filesOf, stateFolder } from '../node/state.ts'
import type { VipSettings } from '../settings.ts'
import { readme } from './readme.ts'

/**
 * A folder that gives any node the virtual IP without a cluster's help; paths are relative. What lies below `files` has the places and
 * the content that an agent would give it: one that comes later finds its own. Pure.
 */
export function nodeFolder(settings: VipSettings): TextFile[] {
  const state = filesOf({ settings: { settings } }, settings.staticServers, undefined)
  const boot: TextFile = {
    path: installed.boot,
    content: `${JSON.stringify({ kind: 'systemd', installed: true })}\n`,
    mode: 0o644,
  }
  const onNode: TextFile[] = [
    ...bootFiles('systemd'),
    ...[...state].map(([name, content]) => ({ path: `${stateFolder}/${name}`, content, mode: 0o644 })),
    boot,
  ]
  return [
    { path: 'README.md', content: readme(settings), mode: 0o644 },
    { path: 'install.sh', content: install, mode: 0o755 },
    { path: 'uninstall.sh', content: uninstall, mode: 0o755 },
    ...onNode.map(file => ({ ...file, path: `files${file.path}` })),
  ]
}
