import { join } from 'node:path'
import { UserError } from '../../../errors.ts'
import type { FilesSpec, MemberSpec } from '../../cluster.ts'
import { sameLaunch } from '../../launch.ts'
import type { Driver, Found, Launch, MemberFiles } from '../driver.ts'
import { ensureFile, ensureFolder, removeEmpty, removeFile, sweep } from './folder.ts'
import { listens } from './listens.ts'
import { type Place, pathsOf } from './names.ts'
import { logsHint, onlyOwner, todoFor } from './owner.ts'
import { certificateFiles, readDelivered } from './pki.ts'
import { type Record, readRecord, recordName } from './record.ts'
import { memberFolder } from './render.ts'
import { removeRestore, writeRestore } from './restore.ts'

/**
 * A member whose machine only its owner reaches: everything that it needs lies in a folder of this machine, with the commands to install
 * it. Whether it runs is not known here, so `inspect` tells what the folder holds. Touches nothing yet.
 */
export function createFilesDriver(cluster: string, member: MemberSpec): Driver {
  const { directory, run } = filesSpec(member)
  const place: Place = { cluster, member, run, folder: join(directory, member.name) }
  return {
    where: `files in ${place.folder}`,
    paths: pathsOf(cluster),
    acts: false,
    inspect: () => inspect(place),
    deliver: files => deliver(place, files),
    start: launch => write(place, launch),
    todo: work => todoFor(place, work),
    async restart() {
      throw onlyOwner(place, 'restart')
    },
    async stop() {
      const { launch } = await inspect(place)
      // One that is down already, or that takes no more part, needs nobody.
      if (!launch || !(await listens(launch))) return false
      throw onlyOwner(place, 'stop')
    },
    async etcdutl(launch, args, snapshot, sizeBytes) {
      await ownRecord(place)
      await writeRestore(place, { launch, args }, snapshot, sizeBytes)
      return ''
    },
    // The data lies where only its owner comes; the README says which folders can go.
    async discardBefore() {},
    remove: () => remove(place),
    async logs(lines) {
      return logsHint(place, lines)
    },
  }
}

function filesSpec({ name, driver }: MemberSpec): FilesSpec {
  if (driver.kind !== 'files') throw new Error(`${name} does not run from files but on ${driver.kind}`)
  return driver
}

async function inspect({ folder, cluster, member }: Place): Promise<Found> {
  const { record, foreign } = await readRecord(folder, cluster, member)
  if (foreign !== undefined) return { state: 'absent', foreign }
  if (!record) return { state: 'absent' }
  const delivered = await readDelivered(join(folder, 'pki'))
  return { state: record.launch ? 'stopped' : 'absent', launch: record.launch, delivered }
}

/** Throws UserError for a folder that is not ours. */
async function ownRecord({ folder, cluster, member }: Place): Promise<Record | undefined> {
  const { record, foreign } = await readRecord(folder, cluster, member)
  if (foreign === undefined) return record
  throw new UserError(foreign, { hint: `name another folder for ${member.name}: files=DIR` })
}

async function remember({ folder, cluster, member, run }: Place, launch: Launch | undefined): Promise<boolean> {
  const record: Record = { managedBy: 'kubectl-karmada-net', cluster, member: member.name, run, launch }
  await ensureFolder(folder)
  return ensureFile(join(folder, recordName), `${JSON.stringify(record, undefined, 2)}\n`)
}

async function deliver(place: Place, files: MemberFiles): Promise<boolean> {
  const record = await ownRecord(place)
  // First, so that what an interrupted run leaves is known as ours.
  if (!record) await remember(place, undefined)
  const pki = join(place.folder, 'pki')
  await ensureFolder(pki)
  await sweep(pki)
  const changed = await Promise.all(certificateFiles.map(name => ensureFile(join(pki, name), files[name])))
  return changed.includes(true)
}

async function write(place: Place, launch: Launch): Promise<boolean> {
  const { cluster, member, run, folder } = place
  const record = await ownRecord(place)
  const wanted = settled(launch, record?.launch)
  if (!record) await remember(place, undefined)
  await sweep(folder)
  const files = memberFolder(cluster, member, run, wanted)
  const changed = await Promise.all(Object.entries(files).map(([name, text]) => ensureFile(join(folder, name), text)))
  const obsolete = formerFiles(place, record).filter(name => !(name in files))
  const removed = await Promise.all(obsolete.map(name => removeFile(join(folder, name))))
  const restored = await removeRestore(place)
  await remember(place, wanted)
  return changed.includes(true) || removed.includes(true) || restored
}

/**
 * What etcd reads at its first start alone stays as it was written once it counts no more: a file that changes without need would be
 * installed without need.
 */
function settled(launch: Launch, before: Launch | undefined): Launch {
  const begins = launch.bootstrapArgs.includes('--initial-cluster-state=new')
  if (!before || begins || !sameLaunch(launch, before)) return launch
  return { ...launch, bootstrapArgs: before.bootstrapArgs }
}

/** Names that a former run wrote, perhaps for another way to run. */
function formerFiles({ cluster, member }: Place, record: Record | undefined): string[] {
  return record?.launch ? Object.keys(memberFolder(cluster, member, record.run, record.launch)) : []
}

/** What we wrote; a folder that holds more than that stays, with the rest. */
async function remove(place: Place): Promise<boolean> {
  const { folder, cluster, member } = place
  const { record } = await readRecord(folder, cluster, member)
  if (!record) return false
  const names = [...certificateFiles.map(name => join('pki', name)), ...formerFiles(place, record), recordName]
  for (const name of names) await removeFile(join(folder, name))
  await removeRestore(place)
  for (const each of [join(folder, 'pki'), folder]) await sweep(each)
  await removeEmpty(join(folder, 'pki'), folder)
  return true
}
