import { imageNames } from '../setup/images.ts'
import { inside } from './paths.ts'
import { type ClusterPlan, dnsService, podNetwork } from './plan.ts'

/** A machine that is a node: a cluster's own or a further one. */
type NodeMachine = Pick<ClusterPlan, 'name' | 'address'>

export const nodeCommands = (node: NodeMachine): Record<'kubelet' | 'kube-proxy', string[]> => ({
  kubelet: [
    `${inside.bin}/kubelet`,
    '--config=/etc/kubernetes/kubelet.yaml',
    '--kubeconfig=/etc/kubernetes/kubelet.conf',
    `--hostname-override=${node.name}`,
    `--node-ip=${node.address}`,
    '--node-labels=karmada-net.io/sandbox=true',
    '--v=2',
  ],
  'kube-proxy': [`${inside.bin}/kube-proxy`, `--config=${kubeProxyFile}`],
})

export const containerdCommand: string[] = ['containerd', '--config=/etc/containerd/config.toml']

export interface NodeSettings {
  name: string
  podNetwork: string
  /** Above its pods' control groups. */
  cgroupRoot: string
  proxy: ProxySettings
}

/** How kube-proxy does its work. */
export interface ProxySettings {
  mode: 'nftables' | 'iptables' | 'ipvs'
  /** Virtual servers in these networks are somebody else's (ipvs only). */
  excludeCIDRs?: string[]
}

/** Configuration files of a node, by path in the machine. Pure. */
export const nodeFiles = (node: NodeSettings): Record<string, string> => ({
  '/etc/containerd/config.toml': containerd,
  '/etc/cni/net.d/10-bridge.conflist': cni(node.podNetwork),
  '/etc/kubernetes/kubelet.yaml': kubelet(node.cgroupRoot),
  [kubeProxyFile]: kubeProxy(node.name, node.proxy),
})

export const kubeProxyFile = '/etc/kubernetes/kube-proxy.yaml'

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

const cni = (pods: string): string => `${JSON.stringify({
  cniVersion: '0.4.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: { type: 'host-local', ranges: [[{ subnet: pods }]], routes: [{ dst: '0.0.0.0/0' }] },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
})}
`

const kubelet = (cgroupRoot: string): string => `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: ${inside.pki}/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: ${inside.pki}/kubelet.crt
tlsPrivateKeyFile: ${inside.pki}/kubelet.key
containerRuntimeEndpoint: unix://${inside.containerdSocket}
cgroupDriver: cgroupfs
cgroupRoot: ${cgroupRoot}
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

export const kubeProxy = (
  node: string,
  { mode, excludeCIDRs = [] }: ProxySettings,
): string => `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: ${mode}
clusterCIDR: ${podNetwork}
hostnameOverride: ${node}
clientConnection: {kubeconfig: /etc/kubernetes/kube-proxy.conf}
# Left as they are: they belong to the whole machine.
conntrack: {maxPerCore: 0, min: 0}
ipvs: {scheduler: rr, excludeCIDRs: ${JSON.stringify(excludeCIDRs)}}
`
