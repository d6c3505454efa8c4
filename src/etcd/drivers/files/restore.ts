import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Launch } from '../driver.ts'
import { draftIn, ensureFile, ensureFolder, removeEmpty, removeFile, sizeOf, sweep } from './folder.ts'
import { manifestFolder, staticPodInstall, systemdInstall } from './install.ts'
import {
  binaryFolder,
  configFolder,
  dataFolder,
  metricsPort,
  type Place,
  pathsOf,
  restoreFile,
  restoreFolder,
  restoreScript,
  unitName,
} from './names.ts'
import { memberFolder } from './render.ts'

const snapshotFile = 'snapshot.db'

export interface Restore {
  /** How it runs once it is restored. */
  launch: Launch
  /** etcdutl's words, with `--data-dir` as etcd is to find it. */
  args(snapshotPath: string): string[]
}

/**
 * Puts the snapshot, and what restores it on the machine, into a folder of the member's. The files that it runs with now stay as they are
 * until it is restored: whoever installed those of its next life before would have it begin that one empty.
 */
export async function writeRestore(
  place: Place,
  restore: Restore,
  snapshot: AsyncIterable<Uint8Array>,
  sizeBytes: number,
): Promise<void> {
  const folder = join(place.folder, restoreFolder)
  await ensureFolder(folder)
  await sweep(folder)
  const draft = draftIn(folder)
  try {
    // All Secrets of its control planes are in it.
    await pipeline(snapshot, createWriteStream(draft, { mode: 0o600, flush: true }))
    const written = await sizeOf(draft)
    if (written !== sizeBytes) throw new Error(`the snapshot has ${written} bytes, not ${sizeBytes}`)
    await rename(draft, join(folder, snapshotFile))
  } finally {
    await rm(draft, { force: true })
  }
  const flags = flagsFile(place)
  const files = memberFolder(place.cluster, place.member, place.run, restore.launch)
  await ensureFile(join(folder, flags), files[flags] ?? '')
  await ensureFile(join(folder, restoreFile), scriptOf(place, restore))
}

/** What names the data directory. */
const flagsFile = ({ cluster, run }: Place): string => (run === 'systemd' ? 'etcd.env' : `${unitName(cluster)}.yaml`)

/** Of a restore that is over. True: there was one. */
export async function removeRestore(place: Place): Promise<boolean> {
  const folder = join(place.folder, restoreFolder)
  await sweep(folder)
  const names = [restoreFile, snapshotFile, flagsFile(place)]
  const removed = await Promise.all(names.map(name => removeFile(join(folder, name))))
  await removeEmpty(folder)
  return removed.includes(true)
}

/** Run again it goes on where it was cut off, and changes nothing of a member that is restored. Pure. */
function scriptOf(place: Place, restore: Restore): string {
  const { cluster, member, run } = place
  const systemd = run === 'systemd'
  const unit = unitName(cluster)
  const begin = systemd
    ? [
        `install -m 0644 ${restoreFolder}/etcd.env ${configFolder(cluster)}/`,
        `systemctl enable --quiet ${unit}`,
        `systemctl start --no-block ${unit}`,
      ]
    : [`install -m 0600 ${restoreFolder}/${unit}.yaml ${manifestFolder}/`]
  return `#!/bin/sh
# Puts member ${member.name} of etcd ${cluster} back to a snapshot. On ${member.address}, as root, in the copy of the member's folder:
#   sh ${restoreScript}
# Written by kubectl karmada-net. What the member has now stays in ${dataFolder(cluster)}, in a folder of its own.
set -eu
cd "$(dirname "$0")/.."
data=${pathsOf(cluster).data(restore.launch.generation)}
if [ ! -e "$data" ]; then
  ${(systemd ? systemdRestore : staticPodRestore)(cluster, restore).join('\n  ')}
  mv "$data.part" "$data"
fi
rm -f ${restoreFolder}/${snapshotFile}
${systemd ? systemdInstall(cluster) : staticPodInstall(cluster)}
${begin.join('\n')}
echo "${member.name} is restored; it serves once more than half of all members are."
`
}

function systemdRestore(cluster: string, { launch, args }: Restore): string[] {
  const etcdutl = [
    `${binaryFolder(launch.version)}/etcdutl`,
    ...args(`${restoreFolder}/${snapshotFile}`).map(unfinished),
  ]
  return [
    `systemctl stop ${unitName(cluster)}`,
    `install -d -o etcd -g etcd -m 0700 ${dataFolder(cluster)}`,
    'rm -rf "$data.part"',
    etcdutl.map(quoted).join(' '),
    'chown -R etcd:etcd "$data.part"',
  ]
}

/** No program of etcd is on such a node but in its image, which containerd runs beside the kubelet. */
function staticPodRestore(cluster: string, { launch, args }: Restore): string[] {
  const name = unitName(cluster)
  const folder = dataFolder(cluster)
  const ctr = [
    ...['ctr', '--namespace', 'k8s.io', 'run', '--rm'],
    ...['--mount', `type=bind,src=${folder},dst=${folder},options=rbind:rw`],
  ]
  const etcdutl = ['etcdutl', ...args(`/snapshot/${snapshotFile}`).map(unfinished)]
  return [
    `rm -f ${manifestFolder}/${name}.yaml`,
    `while curl -s -o /dev/null http://127.0.0.1:${metricsPort(launch)}/livez; do sleep 1; done`,
    `install -d -m 0700 ${folder}`,
    'rm -rf "$data.part"',
    `ctr --namespace k8s.io containers rm ${name}-restore 2> /dev/null || true`,
    `${ctr.map(quoted).join(' ')} --mount type=bind,src="$PWD/${restoreFolder}",dst=/snapshot,options=rbind:ro ${[launch.image, `${name}-restore`, ...etcdutl].map(quoted).join(' ')}`,
  ]
}

/** Beside where etcd looks, so that it never starts on half of it. */
const unfinished = (arg: string): string => (arg.startsWith('--data-dir=') ? `${arg}.part` : arg)

const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
