import { imageNames } from '../setup/images.ts'
import { cgroupOf } from './cgroups.ts'
import { inside } from './paths.ts'
import { type ClusterPlan, dnsService, nodePodNetwork, podNetwork } from './plan.ts'

export const nodeCommands = (cluster: ClusterPlan): Record<'kubelet' | 'kube-proxy', string[]> => ({
  kubelet: [
    `${inside.bin}/kubelet`,
    '--config=/etc/kubernetes/kubelet.yaml',
    '--kubeconfig=/etc/kubernetes/kubelet.conf',
    `--hostname-override=${cluster.name}`,
    `--node-ip=${cluster.address}`,
    '--node-labels=karmada-net.io/sandbox=true',
    '--v=2',
  ],
  'kube-proxy': [`${inside.bin}/kube-proxy`, '--config=/etc/kubernetes/kube-proxy.yaml'],
})

export const containerdCommand: string[] = ['containerd', '--config=/etc/containerd/config.toml']

/** Configuration files of a node, by path in the machine. Pure. */
export const nodeFiles = (sandbox: string, cluster: ClusterPlan): Record<string, string> => ({
  '/etc/containerd/config.toml': containerd,
  '/etc/cni/net.d/10-bridge.conflist': cni,
  '/etc/kubernetes/kubelet.yaml': kubelet(sandbox, cluster),
  '/etc/kubernetes/kube-proxy.yaml': kubeProxy(cluster),
})

const containerd = `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "${inside.containerdSocket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${imageNames.pause}"
  # A process without CAP_SYS_RESOURCE may not lower its OOM score.
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
`

const cni = `${JSON.stringify({
  cniVersion: '0.4.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: { type: 'host-local', ranges: [[{ subnet: nodePodNetwork }]], routes: [{ dst: '0.0.0.0/0' }] },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
})}
`

const kubelet = (sandbox: string, cluster: ClusterPlan): string => `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: ${inside.pki}/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: ${inside.pki}/kubelet.crt
tlsPrivateKeyFile: ${inside.pki}/kubelet.key
containerRuntimeEndpoint: unix://${inside.containerdSocket}
cgroupDriver: cgroupfs
cgroupRoot: ${cgroupOf(sandbox, cluster.name)}
cgroupsPerQOS: true
enforceNodeAllocatable: []
failCgroupV1: false
failSwapOn: false
clusterDNS: [${dnsService}]
clusterDomain: cluster.local
resolvConf: /etc/resolv.conf
staticPodPath: /etc/kubernetes/manifests
# cAdvisor does not find the file system of every machine's root; the disk is the engineer's own.
localStorageCapacityIsolation: false
evictionHard: {imagefs.available: 0%, nodefs.available: 0%, memory.available: 50Mi}
imageGCHighThresholdPercent: 100
oomScoreAdj: 0
maxPods: 110
`

const kubeProxy = (cluster: ClusterPlan): string => `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clusterCIDR: ${podNetwork}
hostnameOverride: ${cluster.name}
clientConnection: {kubeconfig: /etc/kubernetes/kube-proxy.conf}
# Left as they are: they belong to the whole machine.
conntrack: {maxPerCore: 0, min: 0}
`
