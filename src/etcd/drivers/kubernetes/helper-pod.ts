import { pick } from '../../../kube/manifest.ts'
import { labels, memberName } from './names.ts'
import {
  type Container,
  fromRegistry,
  manifestOf,
  type Owner,
  type Pod,
  type PodSpec,
  placeOn,
  root,
  storeIn,
} from './objects.ts'

export const snapshotPath = '/snapshot/snapshot.db'

export const helperName = ({ cluster, member }: Owner): string => `${memberName(cluster, member)}-helper`

/** A pod on the member's node that runs one command of busybox, with the folder of all clusters' members at `/data`. Pure. */
export function shellPod(owner: Owner, node: string, hostPath: string, command: string[]): Pod {
  const { pod, spec, shell } = helperPod(owner, node)
  spec.containers = [{ ...shell, command, volumeMounts: [{ name: 'data', mountPath: '/data' }] }]
  spec.volumes = [{ name: 'data', hostPath: { path: hostPath, type: 'DirectoryOrCreate' } }]
  return pod
}

/** Waits for the snapshot, which comes by exec, then runs etcdutl with the member's data in its place. Pure. */
export function etcdutlPod(
  owner: Owner,
  node: string,
  { image, generation, args }: { image: string; generation: number; args: string[] },
): Pod {
  const { pod, spec, shell } = helperPod(owner, node)
  const snapshot = { name: 'snapshot', mountPath: '/snapshot' }
  const waitFor = ['sh', '-c', `until [ -e ${snapshotPath} ]; do sleep 0.1; done`]
  spec.initContainers = [{ ...shell, name: 'receive', command: waitFor, volumeMounts: [snapshot] }]
  spec.containers = [
    {
      ...shell,
      name: 'etcdutl',
      image: fromRegistry(image, owner.imageRegistry),
      command: ['etcdutl', ...args],
      volumeMounts: [snapshot, { name: 'data', mountPath: root }],
    },
  ]
  spec.volumes = [{ name: 'snapshot', emptyDir: {} }, { name: 'data' }]
  storeIn(spec, owner, generation)
  return pod
}

function helperPod(owner: Owner, node: string): { pod: Pod; spec: PodSpec; shell: Container } {
  const pod = pick<Pod>(manifestOf(owner), 'Pod')
  const spec = pod.spec as PodSpec
  const [shell] = spec.containers
  if (!shell) throw new Error('manifest has no container shell')
  pod.metadata.name = helperName(owner)
  pod.metadata.labels = labels('etcd-helper', owner.cluster, owner.member)
  shell.image = fromRegistry(shell.image ?? '', owner.imageRegistry)
  placeOn(spec, node)
  return { pod, spec, shell }
}
