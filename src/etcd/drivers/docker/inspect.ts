import type { Found } from '../driver.ts'
import { lastWordsOf } from '../words.ts'
import type { Docker } from './cli.ts'
import {
  type Container,
  launchIn,
  readContainer,
  runs,
  wasStarted,
  whyForeignContainer,
  whyStopped,
} from './container.ts'
import { type Engine, freeBytes, readEngine } from './engine.ts'
import { readPublic } from './files.ts'
import { logIn, type Names } from './names.ts'
import { exists } from './probe.ts'
import { listVolumes, type Volume, whyForeignVolume } from './volumes.ts'

/** Looks, changes nothing. */
export async function inspect(docker: Docker, names: Names): Promise<Found> {
  const [engine, container, volumes] = await Promise.all([
    readEngine(docker),
    readContainer(docker, names.container),
    listVolumes(docker, names),
  ])
  const machine = {
    foreign: engine.unfit ?? whyNotOurs(names, container, volumes),
    clockSkewMs: engine.clockSkewMs,
    freeBytes: await freeBytes(docker, engine, dataRoot(engine)),
  }
  if (machine.foreign !== undefined) return { state: 'absent', ...machine }
  if (!container) return { state: volumes.some(isData(names)) ? 'stopped' : 'absent', ...machine }
  const [member, delivered] = await Promise.all([
    readMember(docker, names, container),
    readPublic(docker, names.container),
  ])
  return { ...member, delivered: delivered?.files, ...machine }
}

const isData =
  (names: Names) =>
  ({ name }: Volume): boolean =>
    names.generationOf(name) !== undefined

const whyNotOurs = (names: Names, container: Container | undefined, volumes: Volume[]): string | undefined =>
  (container && whyForeignContainer(container, names)) ??
  volumes.map(volume => whyForeignVolume(volume, names)).find(why => why !== undefined)

const dataRoot = ({ root }: Engine): string => `${root}/volumes`

async function readMember(docker: Docker, names: Names, container: Container): Promise<Found> {
  const launch = launchIn(container)
  if (runs(container)) return { state: 'running', launch }
  // A disk that was wiped: started again it would take its old place with an empty log. A try that failed may have left other folders.
  const lost = launch && wasStarted(container) && !(await exists(docker, names.container, logIn(launch)))
  return { state: lost ? 'absent' : 'stopped', launch, said: await lastSaid(docker, names, container) }
}

async function lastSaid(docker: Docker, names: Names, container: Container): Promise<string | undefined> {
  const why = whyStopped(container)
  if (why === undefined || !container.State.Restarting) return why
  // Since its last try alone: earlier ones may have had other reasons.
  const words = lastWordsOf(await readLogs(docker, ['--since', container.State.StartedAt, names.container]))
  return words ? `${why}: ${words}` : why
}

export const logs = (docker: Docker, names: Names, lines: number): Promise<string> =>
  readLogs(docker, ['--tail', String(lines), names.container])

async function readLogs(docker: Docker, which: string[]): Promise<string> {
  const args = ['logs', ...which]
  const result = await docker.attempt(args)
  if (result.code !== 0) throw docker.explain(args, result)
  // Etcd writes to its standard error.
  return result.stdout.toString() + result.stderr
}
