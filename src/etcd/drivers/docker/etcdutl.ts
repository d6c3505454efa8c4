import { UserError } from '../../../errors.ts'
import type { Launch } from '../driver.ts'
import { lastWordsOf } from '../words.ts'
import type { Docker } from './cli.ts'
import { confined, dataFlag, launchIn, readOurs, removeContainer } from './container.ts'
import { ensureImage } from './image.ts'
import { dataFolder, dataMount, labelFlags, type Names, restoredLabel, user } from './names.ts'
import { finished } from './probe.ts'
import { dataLabels, emptyFolder } from './start.ts'
import { tarEnd, tarFile, tarHeader, tarPadding } from './tar.ts'
import { ensureVolume, removeVolumes } from './volumes.ts'

const snapshotPath = 'restore/snapshot.db'

/** Answers what it printed. Throws UserError with what it said otherwise. */
export async function etcdutl(
  docker: Docker,
  names: Names,
  launch: Launch,
  args: (snapshotPath: string) => string[],
  snapshot: AsyncIterable<Uint8Array>,
  sizeBytes: number,
): Promise<string> {
  const member = await readOurs(docker, names)
  if (member?.State.Running) {
    throw new UserError(`${docker.where}: ${names.member} runs`, { hint: `${docker.command} stop ${names.container}` })
  }
  const image = await ensureImage(docker, launch.image)
  for (const left of [names.etcdutl, names.next]) await removeContainer(docker, names, left)
  const volume = names.dataVolume(launch.generation)
  // What an earlier run was cut off in, and no etcd has run on.
  if (!member || launchIn(member)?.generation !== launch.generation) {
    await removeVolumes(docker, names, ({ name, labels }) => name === volume && labels[restoredLabel] !== '')
  }
  await ensureVolume(docker, names, volume, { ...dataLabels(launch), [restoredLabel]: 'true' })
  try {
    await docker.run([
      'create',
      `--name=${names.etcdutl}`,
      '--pull=never',
      '--network=none',
      ...confined,
      ...labelFlags(names.labels),
      dataFlag(names, launch.generation),
      '--entrypoint=etcdutl',
      image,
      ...args(`/${snapshotPath}`),
    ])
    // The snapshot goes to the container's own layer: it is gone with the container.
    await docker.run(['cp', '-', `${names.etcdutl}:/`], {
      input: snapshotStream(snapshot, sizeBytes),
      timeoutMs: Number.POSITIVE_INFINITY,
    })
    const said = await run(docker, names)
    const done = tarFile({ path: finished, mode: 0o600, owner: user }, '')
    await docker.run(['cp', '-', `${names.etcdutl}:${dataMount}`], { input: [done, tarEnd()] })
    return said
  } finally {
    await docker.attempt(['container', 'rm', '--force', '--volumes', names.etcdutl], { evenThen: true })
  }
}

async function run(docker: Docker, names: Names): Promise<string> {
  const result = await docker.attempt(['start', '--attach', names.etcdutl], { timeoutMs: Number.POSITIVE_INFINITY })
  const [stdout, stderr] = [result.stdout.toString(), result.stderr]
  if (result.code === 0) return stdout
  const words = lastWordsOf(stderr) ?? lastWordsOf(stdout) ?? `exit ${result.code}`
  throw new UserError(`${docker.where}: etcdutl for ${names.member}: ${words.replace(/^Error: /, '')}`)
}

async function* snapshotStream(snapshot: AsyncIterable<Uint8Array>, sizeBytes: number): AsyncGenerator<Uint8Array> {
  yield emptyFolder(`${dataMount.slice(1)}/${dataFolder}`)
  yield tarHeader({ path: snapshotPath, type: 'file', mode: 0o600, owner: user, sizeBytes })
  let sent = 0
  for await (const chunk of snapshot) {
    sent += chunk.length
    if (sent > sizeBytes) break
    yield chunk
  }
  if (sent !== sizeBytes) throw new Error(`the snapshot has ${sent} bytes, not ${sizeBytes}`)
  yield tarPadding(sizeBytes)
  yield tarEnd()
}
