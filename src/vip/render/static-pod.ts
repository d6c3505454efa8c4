import { pick, toYaml } from '../../kube/manifest.ts'
import type { KubeObject } from '../../kube/types.ts'
import { labels, name, namespace } from '../names.ts'
import type { TextFile } from '../node/boot-files.ts'
import { type Asked, type DaemonSet, imageOf, podSpecOf, uninstallPod, vipObjects } from '../objects.ts'
import type { VipSettings } from '../settings.ts'
import { authorityFile, settingsFolder, uninstallFile } from './places.ts'
import { staticPodReadme } from './readme.ts'

/** A folder by which a kubelet runs the agent from a file, without any API server; paths are relative. Pure. */
export function staticPodFolder(settings: VipSettings, asked: Asked): TextFile[] {
  const file = (path: string, content: string): TextFile => ({ path, content, mode: 0o644 })
  const yaml = (object: KubeObject) => `# Written by kubectl karmada-net vip render.\n${toYaml([object])}`
  return [
    file('README.md', staticPodReadme(settings)),
    file('settings.json', `${JSON.stringify(settings, undefined, 2)}\n`),
    file(`${name}.yaml`, yaml(agentPod(settings, asked))),
    file(uninstallFile, yaml(cleaningPod(settings, asked))),
  ]
}

/** The DaemonSet's pod, without what comes from API servers. */
function agentPod(settings: VipSettings, asked: Asked): KubeObject {
  const spec = podSpecOf(pick<DaemonSet>(vipObjects({ settings, asked }), 'DaemonSet'))
  const { serviceAccountName: _, nodeSelector: __, tolerations: ___, affinity: ____, ...rest } = spec
  const [agent] = rest.containers
  const mounted = rest.volumes?.find(({ name }) => name === 'settings')
  if (!agent || !mounted) throw new Error('manifest has no agent, or no settings for it')
  delete mounted.configMap
  mounted.hostPath = { path: settingsFolder, type: 'Directory' }
  const inside = '/etc/karmada-net/ca.crt'
  agent.args = [`--ca=${inside}`]
  agent.volumeMounts?.push({ name: 'authority', mountPath: inside, readOnly: true })
  rest.volumes?.push({ name: 'authority', hostPath: { path: authorityFile, type: 'File' } })
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: labels('vip-static') },
    spec: { ...rest, automountServiceAccountToken: false },
  } as KubeObject
}

function cleaningPod({ vip, port }: VipSettings, asked: Asked): KubeObject {
  const pod = uninstallPod({ vip: { host: vip, port }, node: '', image: imageOf(asked) })
  pod.metadata.name = `${name}-uninstall`
  // A kubelet asks nobody which node it is for.
  delete pod.spec.affinity
  return pod
}
