import { UserError } from '../../../errors.ts'
import { sameLaunch } from '../../launch.ts'
import type { Launch } from '../driver.ts'
import type { Docker } from './cli.ts'
import { type Container, createArgs, launchIn, readOurs, removeContainer, runs } from './container.ts'
import { readEngine } from './engine.ts'
import { ensureImage } from './image.ts'
import { dataFolder, dataMount, generationLabel, logIn, type Names, restoredLabel, tokenLabel, user } from './names.ts'
import { exists, finished } from './probe.ts'
import { tarEnd, tarHeader } from './tar.ts'
import { ensureVolume, type Volume } from './volumes.ts'

/** Seconds between SIGTERM and SIGKILL. */
const patience = '10'

export async function start(docker: Docker, names: Names, launch: Launch): Promise<boolean> {
  const container = await readOurs(docker, names)
  const kept = container && launchIn(container)
  if (!container || !kept || !sameLaunch(kept, launch)) {
    await replace(docker, names, launch, container)
    return true
  }
  if (runs(container)) return false
  await docker.run([again(container), names.container])
  return true
}

/** One between two of its own attempts counts as started. */
const again = ({ State }: Container): string => (State.Paused ? 'unpause' : State.Restarting ? 'restart' : 'start')

/** All that can fail is done beside the old container; it stops for as long as a removal, a new name and a start take. */
async function replace(docker: Docker, names: Names, launch: Launch, old: Container | undefined): Promise<void> {
  const [{ loggingDriver }, image, volume] = await Promise.all([
    readEngine(docker),
    ensureImage(docker, launch.image),
    dataVolume(docker, names, launch),
    ensureVolume(docker, names, names.pkiVolume),
    removeContainer(docker, names, names.next),
  ])
  const sameData = old && launchIn(old)?.generation === launch.generation
  if (!sameData) refuseOtherLife(docker, volume, launch)
  const begun = sameData && (await exists(docker, names.container, logIn(launch)))
  await docker.run(createArgs(names, begun ? asBegun(launch) : launch, { image, loggingDriver }))
  if (volume.labels[restoredLabel]) await refuseHalfRestored(docker, names, volume)
  await docker.run(['cp', '-', `${names.next}:${dataMount}`], { input: [emptyFolder(dataFolder), tarEnd()] })
  if (old) {
    await stop(docker, names)
    await removeContainer(docker, names, names.container)
  }
  await docker.run(['container', 'rename', names.next, names.container])
  await docker.run(['start', names.container])
}

/**
 * For one that has its data, and so does not look at these flags. Should they be lost while the engine starts it again and again, then as
 * a "new" one it is refused by its peers, where as an "existing" one it would be taken back with an empty log. Pure.
 */
export const asBegun = (launch: Launch): Launch => ({
  ...launch,
  bootstrapArgs: launch.bootstrapArgs.map(arg =>
    arg === '--initial-cluster-state=existing' ? '--initial-cluster-state=new' : arg,
  ),
})

async function refuseHalfRestored(docker: Docker, names: Names, { name }: Volume): Promise<void> {
  if (await exists(docker, names.next, `${dataMount}/${finished}`)) return
  await removeContainer(docker, names, names.next)
  throw new UserError(`${docker.where}: the restore into volume "${name}" was cut off`, { hint: 'run it again' })
}

const dataVolume = (docker: Docker, names: Names, launch: Launch): Promise<Volume> =>
  ensureVolume(docker, names, names.dataVolume(launch.generation), dataLabels(launch))

export const dataLabels = (launch: Launch): Record<string, string> => ({
  [generationLabel]: String(launch.generation),
  [tokenLabel]: tokenOf(launch),
})

/**
 * An engine makes a volume root's; the folder in it becomes etcd's, and what is in it stays. In a volume that was wiped etcd cannot make it,
 * and so cannot begin anew with an empty log.
 */
export const emptyFolder = (path: string): Buffer =>
  tarHeader({ path: `${path}/`, type: 'folder', mode: 0o700, owner: user })

/** What `etcd down` kept, say: etcd would go on with members and certificates that are no more. */
function refuseOtherLife(docker: Docker, { name, labels }: Volume, launch: Launch): void {
  const [was, is] = [labels[tokenLabel], tokenOf(launch)]
  if (!was || was === is) return
  throw new UserError(`${docker.where}: volume "${name}" holds the data of an earlier life of this cluster`, {
    hint: `keep it under another name, or, to begin empty: ${docker.command} volume rm ${name}`,
  })
}

function tokenOf({ bootstrapArgs }: Launch): string {
  const flag = '--initial-cluster-token='
  return bootstrapArgs.find(arg => arg.startsWith(flag))?.slice(flag.length) ?? ''
}

/** True: it ran. */
export async function stop(docker: Docker, names: Names): Promise<boolean> {
  const container = await readOurs(docker, names)
  if (!container?.State.Running) return false
  if (container.State.Paused) await docker.run(['unpause', names.container])
  await docker.run(['stop', '-t', patience, names.container])
  return true
}

export async function restart(docker: Docker, names: Names): Promise<void> {
  if (!(await readOurs(docker, names))) {
    throw new UserError(`${docker.where}: there is no container "${names.container}"`, {
      hint: 'kubectl karmada-net etcd up makes it anew',
    })
  }
  await docker.run(['restart', '-t', patience, names.container])
}
