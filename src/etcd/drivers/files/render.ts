import unit from '../../../../manifests/etcd/etcd.service'
import podYaml from '../../../../manifests/etcd/static-pod.yaml'
import { fillManifest, toYaml } from '../../../kube/manifest.ts'
import type { KubeObject } from '../../../kube/types.ts'
import type { MemberSpec } from '../../cluster.ts'
import type { Launch } from '../driver.ts'
import { environmentFile } from './environment.ts'
import { metricsPort, unitName } from './names.ts'
import { staticPodReadme, systemdReadme } from './readme.ts'

/** A member's files beside its certificates, by name. Pure: same launch, same files. */
export function memberFolder(
  cluster: string,
  member: MemberSpec,
  run: 'systemd' | 'static-pod',
  launch: Launch,
): Record<string, string> {
  const name = unitName(cluster)
  if (run === 'static-pod') {
    return {
      [`${name}.yaml`]: staticPod(cluster, launch),
      'README.md': staticPodReadme(cluster, member, launch),
    }
  }
  return {
    [`${name}.service`]: serviceUnit(cluster, launch),
    'etcd.env': environmentFile(launch, cluster),
    'etcd.sysusers': 'u etcd - "etcd" /var/lib\n',
    'README.md': systemdReadme(cluster, member, launch),
  }
}

/** The manifests are written for this cluster, member and version. */
const words = (cluster: string, { member, version }: Launch) => ({
  'etcd-sample': `etcd-${cluster}`,
  sample: cluster,
  m1: member,
  '3.6.16': version,
})

/** The words in one pass, so that a cluster may be called m1. */
function serviceUnit(cluster: string, launch: Launch): string {
  const given = new Map(Object.entries(words(cluster, launch)))
  return unit.replace(/\betcd-sample\b|\bsample\b|\bm1\b|(?<=\bv)3\.6\.16\b/g, word => given.get(word) ?? word)
}

interface Pod extends KubeObject {
  spec: { containers: Container[] }
}

interface Container {
  image: string
  args: string[]
  startupProbe: Probe
  livenessProbe: Probe
  readinessProbe: Probe
}

interface Probe {
  httpGet: { port: number }
}

function staticPod(cluster: string, launch: Launch): string {
  const [pod] = fillManifest(podYaml, words(cluster, launch)) as Pod[]
  const [etcd] = pod?.spec.containers ?? []
  if (!pod || !etcd) throw new Error('the manifest has no container')
  etcd.image = launch.image
  etcd.args = [...launch.args, ...launch.bootstrapArgs]
  for (const probe of [etcd.startupProbe, etcd.livenessProbe, etcd.readinessProbe]) {
    probe.httpGet.port = metricsPort(launch)
  }
  return `# Written by kubectl karmada-net, which rewrites what differs.\n${toYaml([pod])}`
}
