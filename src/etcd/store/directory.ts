import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { syncFolder, unlessCode, writeDurably } from './fs.ts'
import { inTurn, lockFile } from './lock-file.ts'
import type { Store } from './store.ts'

/** Everything in here is 0600, and the folder 0700. */
export function createDirectoryStore(folder: string): Store {
  const changes = createChanges(folder)
  return {
    where: shortened(folder),
    read: path => changes.read(inside(path)),
    list: () => changes.list(),
    async write(files) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await chmod(folder, 0o700)
      for (const path of Object.keys(files)) inside(path)
      await inTurn(join(folder, '.writing'), 'a write', () => changes.write(files))
    },
    async lock(what) {
      const release = await lockFile(join(folder, '.lock'), what)
      return async () => {
        await release()
        // A command that was refused before it wrote anything leaves nothing behind.
        await rmdir(folder).catch(unlessCode('ENOENT', 'ENOTEMPTY', 'EEXIST'))
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Names of the clusters that are remembered under `root`, in order. */
export async function listClusters(root: string): Promise<string[]> {
  const folder = join(root, 'etcd')
  const entries = (await readdir(folder, { withFileTypes: true }).catch(unlessCode('ENOENT', 'ENOTDIR'))) ?? []
  const known = await Promise.all(
    entries
      .filter(entry => entry.isDirectory())
      .map(async ({ name }) =>
        (await createChanges(join(folder, name)).read('cluster.json')) === undefined ? [] : [name],
      ),
  )
  return known.flat().sort()
}

/**
 * Several files change together: the new ones are laid out in a draft, which becomes `.next` by one rename. From then on they count,
 * and are moved to their places; after a crash the next write moves the rest. One process writes at a time, reading needs no turn.
 */
function createChanges(folder: string) {
  const next = join(folder, '.next')
  const laidOut = join(next, 'files')

  const readOne = (file: string) => readFile(file, 'utf8').catch(unlessCode('ENOENT', 'ENOTDIR'))
  const removed = async () => JSON.parse((await readOne(join(next, 'removed.json'))) ?? '[]') as string[]

  async function read(path: string): Promise<string | undefined> {
    if ((await removed()).includes(path)) return undefined
    // In this order: a file that is moved in between is found at its place.
    return (await readOne(join(laidOut, path))) ?? (await readOne(join(folder, path)))
  }

  async function list(): Promise<string[]> {
    const gone = await removed()
    const coming = await filesUnder(laidOut)
    const there = (await filesUnder(folder)).filter(path => !path.split('/').some(hidden))
    return [...new Set([...coming, ...there])].filter(path => !gone.includes(path)).sort()
  }

  async function write(files: Record<string, string | undefined>): Promise<void> {
    await settle()
    const draft = join(folder, `${draftPrefix}${randomUUID()}`)
    await layOut(draft, files)
    await rename(draft, next)
    await syncFolder(folder)
    await settle()
  }

  async function settle(): Promise<void> {
    for (const path of await removed()) await rm(join(folder, path), { force: true })
    const paths = await filesUnder(laidOut)
    for (const path of paths) {
      await mkdir(dirname(join(folder, path)), { recursive: true, mode: 0o700 })
      await rename(join(laidOut, path), join(folder, path))
    }
    for (const parent of new Set(paths.map(path => dirname(join(folder, path))))) await syncFolder(parent)
    await rm(next, { recursive: true, force: true })
    // Of writers that were killed: they hold keys.
    const drafts = (await readdir(folder)).filter(name => name.startsWith(draftPrefix))
    for (const name of drafts) await rm(join(folder, name), { recursive: true, force: true })
  }

  return { read, write, list }
}

const draftPrefix = '.draft-'

async function layOut(draft: string, files: Record<string, string | undefined>): Promise<void> {
  await mkdir(join(draft, 'files'), { recursive: true, mode: 0o700 })
  const gone: string[] = []
  const folders = new Set([draft, join(draft, 'files')])
  for (const [path, text] of Object.entries(files)) {
    if (text === undefined) {
      gone.push(path)
      continue
    }
    const file = join(draft, 'files', path)
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    folders.add(dirname(file))
    await writeDurably(file, text)
  }
  await writeDurably(join(draft, 'removed.json'), JSON.stringify(gone))
  for (const folder of folders) await syncFolder(folder)
}

/** Paths with `/`, relative to `folder`. */
async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(unlessCode('ENOENT'))
  return (entries ?? [])
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
}

const hidden = (name: string) => name.startsWith('.')

/** A path that leads out, or to what the store itself needs, is a bug. */
function inside(path: string): string {
  if (path === '' || path.split('/').some(part => part === '' || hidden(part))) throw new Error(`no path: "${path}"`)
  return path
}

function shortened(folder: string): string {
  const home = homedir()
  return folder === home || folder.startsWith(home + sep) ? `~${folder.slice(home.length)}` : folder
}
