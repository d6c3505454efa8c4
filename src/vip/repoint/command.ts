import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { UserError } from '../../errors.ts'
import { backupOf, type KubeconfigFile, readKubeconfigFile, removeFile, replaceFile } from './file.ts'
import { restored, sameTarget, type Target, withTarget } from './kubeconfig.ts'
import { findKubelets, type Kubelet } from './process.ts'
import { underWatch } from './watch.ts'

const options = {
  do: { type: 'string', default: 'look' },
  root: { type: 'string', default: '' },
  folder: { type: 'string', default: '/' },
  server: { type: 'string', default: '' },
  'tls-server-name': { type: 'string' },
  'patience-seconds': { type: 'string', default: '120' },
  out: { type: 'string' },
} as const

/** What a node says of its kubelet. */
export interface KubeletNews {
  /** Its kubeconfig; undefined: there is no kubelet to be seen. */
  file?: string
  /** Undefined: the file is in another folder than the one that could be looked at. */
  target?: Target
  /** Is there a backup of ours? */
  moved?: boolean
  /** Is the file newer than the kubelet, by an attempt of ours that ended between the two? */
  unread?: boolean
}

/**
 * `kubelet --do=look|move|back --root=/host --folder=FOLDER --server=URL`: where the node's kubelet finds its API server, and another one
 * for it. `move` and `back` restart kubelet, and end well by SIGTERM alone: it comes from the kubelet itself, once it has heard from its
 * API servers that the pod is to go. Where it does not come, everything is put back. Throws `UserError`.
 */
export async function kubeletCommand(args: string[]): Promise<string> {
  const { values } = parseArgs({ args, options })
  const target: Target = {
    server: values.server,
    ...(values['tls-server-name'] !== undefined && { tlsServerName: values['tls-server-name'] }),
  }
  const [kubelet, ...others] = findKubelets()
  const inReach = kubelet !== undefined && dirname(kubelet.kubeconfig) === values.folder
  if (values.do === 'look') {
    const file = inReach ? readKubeconfigFile(join(values.root, kubelet.kubeconfig)) : undefined
    const text = JSON.stringify(newsOf(kubelet, file))
    if (values.out !== undefined) writeFileSync(values.out, text)
    return text
  }
  if (!inReach) throw new UserError(`kubelet's kubeconfig is not in ${values.folder} (any more)`)
  if (others.length > 0) throw new UserError('several kubelets run here: which is of this node cannot be told')
  const path = join(values.root, kubelet.kubeconfig)
  const change = changeOf(values.do, readKubeconfigFile(path), kubelet, target)
  if (!change) return 'nothing to do'
  return underWatch({ kubelet, patienceMs: Number(values['patience-seconds']) * 1000, ...change.for(path) })
}

const newsOf = (kubelet: Kubelet | undefined, file: KubeconfigFile | undefined): KubeletNews => ({
  ...(kubelet && { file: kubelet.kubeconfig }),
  ...(file && kubelet && { target: file.target, moved: file.before !== undefined, unread: isUnread(file, kubelet) }),
})

const isUnread = ({ before, modifiedMs }: KubeconfigFile, { startedMs }: Pick<Kubelet, 'startedMs'>): boolean =>
  before !== undefined && startedMs < modifiedMs

interface Change {
  for(path: string): { make(): void; unmake(): void }
}

/** Nothing where file and kubelet are so already. Pure but for what it answers. */
export function changeOf(
  wish: string,
  found: KubeconfigFile,
  kubelet: Pick<Kubelet, 'startedMs'>,
  target: Target,
): Change | undefined {
  const { text, target: now, before } = found
  if (wish === 'move') {
    const there = sameTarget(now, target)
    if (there && !isUnread(found, kubelet)) return undefined
    const old = there && before !== undefined ? before : text
    return {
      for: path => ({
        make() {
          replaceFile(backupOf(path), old, path)
          if (!there) replaceFile(path, withTarget(text, target))
        },
        unmake() {
          replaceFile(path, old)
          removeFile(backupOf(path))
        },
      }),
    }
  }
  if (before === undefined) return undefined
  const wanted = restored(text, before)
  return {
    for: path => ({
      make() {
        if (text !== wanted) replaceFile(path, wanted)
        removeFile(backupOf(path))
      },
      unmake() {
        replaceFile(backupOf(path), before, path)
        replaceFile(path, text)
      },
    }),
  }
}
