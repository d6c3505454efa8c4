import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tryLock, waitForLock } from '../setup/lock.ts'
import type { Machine, ProcessHandle } from './machine.ts'
import { sandboxDir, slotsDir, stateRoot } from './paths.ts'
import { emptyShape, type Shape, slots } from './plan.ts'

/** The machine that is the switch of the hosts' network. */
export const hubName = 'switch'

/** What is known of a sandbox between commands: `sandbox.json` in its folder. */
export interface State {
  name: string
  slot: number
  shape: Shape
  /** `building` until the first `up` is through; such a sandbox is built anew by the next one. */
  status: 'building' | 'up'
  /** Folder of programs it runs. */
  bin: string
  /** The image store that its nodes were last brought in line with. */
  images: string
  /** Which version of the project's own image each cluster's node has. */
  own?: Record<string, string>
  /** By machine. */
  holders: Record<string, ProcessHandle>
  /** By cluster or machine, then component. */
  daemons: Record<string, Record<string, ProcessHandle>>
}

export const readState = async (name: string): Promise<State | undefined> => {
  const text = await readFile(join(sandboxDir(name), 'sandbox.json'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const state = JSON.parse(text) as State
  // Written before there was all of it.
  state.shape = { ...emptyShape, ...state.shape }
  return state
}

export async function writeState(state: State): Promise<void> {
  const file = join(sandboxDir(state.name), 'sandbox.json')
  await mkdir(sandboxDir(state.name), { recursive: true, mode: 0o700 })
  // Several parts of one `up` may write at the same time.
  const unfinished = `${file}.${randomUUID()}`
  await writeFile(unfinished, `${JSON.stringify(state, undefined, 2)}\n`)
  await rename(unfinished, file)
}

/** Throws when the sandbox has no such machine. */
export function machineOf(state: State, name: string): Machine {
  const holder = state.holders[name]
  if (!holder)
    throw new Error(`sandbox ${state.name} has no machine ${name}: there are ${Object.keys(state.holders).join(', ')}`)
  return { sandbox: state.name, name, holder }
}

/** Names of the sandboxes that have a folder, whole or not. */
export async function sandboxNames(): Promise<string[]> {
  const entries = await readdir(stateRoot, { withFileTypes: true }).catch(() => [])
  return entries.filter(entry => entry.isDirectory() && !entry.name.startsWith('.')).map(entry => entry.name)
}

/** Takes an address range for a sandbox: the one it has, or the lowest free one. For a holder of `lockShared`. Throws when all are taken. */
export async function claimSlot(name: string): Promise<number> {
  await mkdir(slotsDir, { recursive: true, mode: 0o700 })
  const owners = await slotOwners()
  const known = await sandboxNames()
  for (const [slot, owner] of owners) {
    if (owner === name) return slot
    if (!known.includes(owner)) await rm(join(slotsDir, String(slot)), { force: true })
  }
  for (let slot = slots.first; slot <= slots.last; slot++) {
    if (known.includes(owners.get(slot) ?? '')) continue
    await symlink(name, join(slotsDir, String(slot)))
    return slot
  }
  throw new Error(`all ${slots.last} address ranges are taken: remove a sandbox first`)
}

/** The address range that a sandbox has taken. */
export async function slotOf(name: string): Promise<number | undefined> {
  for (const [slot, owner] of await slotOwners()) if (owner === name) return slot
  return undefined
}

export async function releaseSlot(name: string): Promise<void> {
  for (const [slot, owner] of await slotOwners())
    if (owner === name) await rm(join(slotsDir, String(slot)), { force: true })
}

async function slotOwners(): Promise<Map<number, string>> {
  const entries = await readdir(slotsDir).catch(() => [])
  return new Map(
    await Promise.all(
      entries.map(async slot => [Number(slot), await readlink(join(slotsDir, slot)).catch(() => '')] as const),
    ),
  )
}

/** One change at a time to a sandbox. Throws when another process is at it. */
export async function lockSandbox(name: string): Promise<AsyncDisposable> {
  const lock = await tryLock(`sandbox/${name}`)
  if (lock) return lock
  throw new Error(`sandbox ${name} is being changed by another process: wait for it to end`)
}

/** One change at a time to what sandboxes share: address ranges, kernel settings. */
export const lockShared = (): Promise<AsyncDisposable> => waitForLock('shared')
