import { dump } from 'js-yaml'
import { imageNames } from '../../setup/images.ts'
import { eventually, type World } from '../plugin.ts'

/** As kubeadm mounts it. */
const folder = '/var/lib/kube-proxy'
const labels = { 'k8s-app': 'kube-proxy' }
const metadata = { name: 'kube-proxy', namespace: 'kube-system', labels }

/** Its settings, with a comment that must not get lost. */
const proxySettings = (node: string, mode: string): string => `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: ${mode}
clusterCIDR: 10.244.0.0/16
hostnameOverride: ${node}
clientConnection: {kubeconfig: ${folder}/kubeconfig.conf}
conntrack: {maxPerCore: 0, min: 0}
ipvs:
  # nobody else's
  excludeCIDRs: null
  scheduler: rr
`

/** The node's own program, run as kubeadm has it run: by a DaemonSet, with its settings in a ConfigMap. */
const daemonSet = (node: string) => ({
  ...{ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata },
  spec: {
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        hostNetwork: true,
        terminationGracePeriodSeconds: 5,
        tolerations: [{ operator: 'Exists' }],
        nodeSelector: { 'kubernetes.io/hostname': node },
        containers: [
          {
            name: 'kube-proxy',
            image: imageNames.busybox,
            command: ['chroot', '/host', '/run/karmada-net/bin/kube-proxy', `--config=${folder}/config.conf`],
            securityContext: { privileged: true },
            volumeMounts: [
              { name: 'host', mountPath: '/host' },
              { name: 'settings', mountPath: `/host${folder}` },
              { name: 'settings', mountPath: folder },
            ],
          },
        ],
        volumes: [
          { name: 'host', hostPath: { path: '/' } },
          { name: 'settings', configMap: { name: metadata.name } },
        ],
      },
    },
  },
})

/** kube-proxy of a virtual node under Kubernetes' care instead of systemd's, until `end`. */
export async function proxyByDaemonSet({ sandbox, kubectl, read }: World, node: string, mode: string) {
  const vm = sandbox.vm(node)
  const data = {
    'config.conf': proxySettings(node, mode),
    'kubeconfig.conf': await vm.readFile('/etc/kubernetes/kube-proxy.conf'),
  }
  await vm.stop('kube-proxy')
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }
  for (const object of [map, daemonSet(node)]) await kubectl('host', 'apply -f -', dump(object))
  const asked = async (path: string) => (await vm.attempt(['curl', '-s', `http://127.0.0.1:10249/${path}`])).stdout
  const isUp = () => eventually(240, async () => expectText(await asked('proxyMode'), mode))
  await isUp()
  return {
    data,
    isUp,
    settings: async () =>
      (await read<{ data: Record<string, string> } & typeof map>('host', '-n kube-system cm kube-proxy')).data,
    /** As the running one has read it. */
    excluded: async (): Promise<string[]> =>
      JSON.parse(await asked('configz'))['kubeproxy.config.k8s.io'].IPVS.ExcludeCIDRs ?? [],
    pod: () => kubectl('host', '-n kube-system get pods -l k8s-app=kube-proxy -o jsonpath={.items[*].metadata.uid}'),
    async end() {
      await kubectl('host', '-n kube-system delete daemonset,configmap kube-proxy')
      await eventually(120, async () =>
        expectText(await kubectl('host', '-n kube-system get pods -l k8s-app=kube-proxy -o name'), ''),
      )
      await vm.start('kube-proxy')
    },
  }
}

function expectText(text: string, wanted: string): void {
  if (text !== wanted) throw new Error(`"${text}" instead of "${wanted}"`)
}
