import { randomUUID } from 'node:crypto'
import { link, mkdir, readdir, readFile, rm, rmdir, stat, unlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../../errors.ts'
import { unlessCode } from './fs.ts'

interface Holder {
  /** No two locks have the same. */
  id: string
  pid: number
  host: string
  /** Tells a process from a later one of the same number; undefined where the system does not say. */
  process?: string | undefined
  /** The command, for people. */
  what: string
  /** ISO time. */
  since: string
}

/** Whoever removes a dead holder's lock does it within milliseconds. */
const takeoverMs = 5000
/** Of those who only wait their turn. */
const patienceMs = 10_000

type Release = () => Promise<void>

/**
 * Takes the lock that `file` is, and answers how to let it go. A holder that has died on this machine does not count.
 * Throws UserError naming the holder.
 */
export async function lockFile(file: string, what: string): Promise<Release> {
  const taken = await take(file, what)
  if (typeof taken === 'function') return taken
  throw held(taken, file)
}

/** Does `work` while no other process does, waiting its turn. Throws UserError naming whoever does not end. */
export async function inTurn<T>(file: string, what: string, work: () => Promise<T>): Promise<T> {
  const patienceEnds = Date.now() + patienceMs
  let taken = await take(file, what)
  while (typeof taken !== 'function') {
    if (Date.now() > patienceEnds) throw held(taken, file)
    await sleep(20)
    taken = await take(file, what)
  }
  try {
    return await work()
  } finally {
    await taken()
  }
}

/** How to let it go; or who has it. */
async function take(file: string, what: string): Promise<Release | Holder> {
  const me: Holder = {
    id: randomUUID(),
    pid: process.pid,
    host: hostname(),
    process: await processId(process.pid),
    what,
    since: new Date().toISOString(),
  }
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  while (!(await create(file, me))) {
    const holder = await readHolder(file)
    if (holder && (await lives(holder))) return holder
    await dropDead(file, holder)
  }
  await sweep(file)
  return async () => {
    if ((await readHolder(file))?.id === me.id) await unlink(file).catch(unlessCode('ENOENT'))
  }
}

/** Removes drafts whose writers were killed; one that says nothing may be in the making. */
async function sweep(file: string): Promise<void> {
  const entries = await readdir(dirname(file), { withFileTypes: true })
  const drafts = entries.filter(entry => entry.isFile() && entry.name.startsWith(`${basename(file)}.`))
  for (const { name } of drafts) {
    const draft = join(dirname(file), name)
    const writer = await readHolder(draft)
    if (writer && !(await lives(writer))) await rm(draft, { force: true })
  }
}

/** A link appears with its content complete, and not at all where there is one. */
async function create(file: string, me: Holder): Promise<boolean> {
  const draft = `${file}.${me.id}`
  await writeFile(draft, `${JSON.stringify(me)}\n`, { mode: 0o600 })
  try {
    await link(draft, file)
    return true
  } catch (error) {
    unlessCode('EEXIST')(error)
    return false
  } finally {
    await rm(draft, { force: true })
  }
}

/** Undefined: there is none, or a file that is no lock of ours. */
async function readHolder(file: string): Promise<Holder | undefined> {
  const text = await readFile(file, 'utf8').catch(unlessCode('ENOENT'))
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Holder)
  } catch {
    return undefined
  }
}

/** Of two that find the same dead holder only one may remove its lock: the other would remove that of the first. */
async function dropDead(file: string, dead: Holder | undefined): Promise<void> {
  const guard = `${file}.takeover`
  try {
    await mkdir(guard)
  } catch (error) {
    unlessCode('EEXIST')(error)
    const since = (await stat(guard).catch(unlessCode('ENOENT')))?.mtimeMs ?? Date.now()
    if (Date.now() - since > takeoverMs) await rmdir(guard).catch(unlessCode('ENOENT'))
    await sleep(20)
    return
  }
  try {
    if ((await readHolder(file))?.id === dead?.id) await unlink(file).catch(unlessCode('ENOENT'))
  } finally {
    await rmdir(guard)
  }
}

/** A holder on another machine (a home that several share) counts as alive: nobody here can tell. */
async function lives({ pid, host, process: began }: Holder): Promise<boolean> {
  if (host !== hostname()) return true
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: somebody else's process, so it is alive.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const now = await processId(pid)
  return began === undefined || now === undefined || began === now
}

/** Linux only: this boot of the machine and when the process started in it. */
async function processId(pid: number): Promise<string | undefined> {
  try {
    const [boot, line] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ])
    // After the command's name, which may have spaces and brackets itself, the start is field 20.
    const started = line.slice(line.lastIndexOf(')') + 2).split(' ')[19]
    return started && `${boot.trim()}/${started}`
  } catch {
    return undefined
  }
}

function held({ what, pid, host, since }: Holder, file: string): UserError {
  const here = host === hostname()
  const where = here ? `process ${pid}` : `process ${pid} on ${host}`
  return new UserError(`"${what}" is at work on this cluster: ${where}, since ${since}`, {
    hint: here ? 'wait until it has ended' : `wait until it has ended; if it died with its machine: rm ${file}`,
  })
}
