import { fromRegistry } from '../../../images.ts'
import { pick } from '../../../kube/manifest.ts'
import { labels, memberName } from './names.ts'
import {
  type Container,
  manifestOf,
  type Owner,
  type Pod,
  type PodSpec,
  paths,
  placeOn,
  root,
  type StatefulSet,
  storeIn,
} from './objects.ts'

export const snapshotPath = '/snapshot/snapshot.db'

const helperName = ({ cluster, member }: Owner): string => `${memberName(cluster, member)}-helper`

/** The container whose words count. */
export const shellName = 'shell'
export const etcdutlName = 'etcdutl'

/** Makes the folder that etcd may write to; what `etcdutl` has filled stays. */
const makeFolder = 'mkdir -p "$1" && chown 65532:65532 "$1" && chmod 700 "$1"'

/** For a life that begins: refuses data that are there already. Pure. */
export const prepareCommand = (folder: string, shown: string): string[] => {
  const refuse = '[ -z "$(ls -A "$1" 2>/dev/null)" ] || { echo "$2 is not empty"; exit 1; }'
  return ['sh', '-c', `[ -e "$1.restored" ] && exit 0; ${refuse}; ${makeFolder}`, 'sh', folder, shown]
}

/**
 * A pod that runs one command of busybox, with the folder of all clusters' members at `/data`. Without a node it goes to one that the
 * member may go to. Pure.
 */
export function shellPod(owner: Owner, node: string | undefined, hostPath: string, command: string[]): Pod {
  const { pod, spec, shell } = helperPod(owner, node)
  spec.containers = [{ ...shell, command, volumeMounts: [{ name: 'data', mountPath: '/data' }] }]
  spec.volumes = [{ name: 'data', hostPath: { path: hostPath, type: 'DirectoryOrCreate' } }]
  return pod
}

/**
 * Takes the snapshot, which comes by exec, runs etcdutl with the member's data in its place, and marks what it made as whole.
 * `fresh`: no etcd has run on this generation, so that what a run before this one left of it is removed. Pure.
 */
export function etcdutlPod(
  owner: Owner,
  node: string,
  { image, generation, args, fresh }: { image: string; generation: number; args: string[]; fresh: boolean },
): Pod {
  const { pod, spec, shell } = helperPod(owner, node)
  const mounts = [
    { name: 'snapshot', mountPath: '/snapshot' },
    { name: 'data', mountPath: root },
  ]
  const clear = fresh ? 'rm -rf "$1" "$1.restored" && ' : ''
  const receive = `${clear}${makeFolder} && until [ -e ${snapshotPath} ]; do sleep 0.1; done`
  const folder = paths.data(generation)
  const { securityContext: _root, ...plain } = shell
  const confined = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } }
  spec.initContainers = [
    { ...shell, name: 'receive', command: ['sh', '-c', receive, 'sh', folder], volumeMounts: mounts },
    {
      ...plain,
      name: etcdutlName,
      image: fromRegistry(image, owner.imageRegistry),
      command: ['etcdutl', ...args],
      securityContext: confined,
      volumeMounts: mounts,
    },
  ]
  spec.containers = [{ ...shell, command: ['touch', `${folder}.restored`], volumeMounts: mounts }]
  spec.volumes = [{ name: 'snapshot', emptyDir: {} }, { name: 'data' }]
  storeIn(spec, owner, generation)
  // Of a member that has never run there is no folder yet.
  for (const { hostPath } of spec.volumes) if (hostPath) hostPath.type = 'DirectoryOrCreate'
  return pod
}

function helperPod(owner: Owner, node: string | undefined): { pod: Pod; spec: PodSpec; shell: Container } {
  const objects = manifestOf(owner)
  const pod = pick<Pod>(objects, 'Pod')
  const spec = pod.spec as PodSpec
  const [shell] = spec.containers
  if (!shell) throw new Error('manifest has no container shell')
  pod.metadata.name = helperName(owner)
  pod.metadata.labels = labels('etcd-helper', owner.cluster, owner.member)
  shell.image = fromRegistry(shell.image ?? '', owner.imageRegistry)
  const away = pick<StatefulSet>(objects, 'StatefulSet').spec.template.spec?.affinity
  if (node === undefined && away) spec.affinity = away
  placeOn(spec, node)
  return { pod, spec, shell }
}
