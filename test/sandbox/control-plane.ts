import { inside } from './paths.ts'
import { apiPort, type ClusterPlan, type MachinePlan, podNetwork, serviceNetwork } from './plan.ts'

const pki = (file: string): string => `${inside.pki}/${file}`
const conf = (name: string): string => `/etc/kubernetes/${name}.conf`
const program = (name: string): string => `${inside.bin}/${name}`

/** The command lines of a control plane, by component, in the order they are started. Pure. */
export const controlPlane = (cluster: ClusterPlan): Record<'etcd' | 'kube-apiserver', string[]> => ({
  etcd: [
    program('etcd'),
    '--data-dir=/var/lib/etcd',
    `--listen-client-urls=http://127.0.0.1:2379${cluster.role === 'host' ? `,${etcdOf(cluster)}` : ''}`,
    ...(cluster.role === 'host' ? etcdForOthers : []),
    '--advertise-client-urls=http://127.0.0.1:2379',
    '--listen-peer-urls=http://127.0.0.1:2380',
    // It lives as long as the sandbox.
    '--unsafe-no-fsync',
  ],
  'kube-apiserver': apiServer(cluster.address, ['--etcd-servers=http://127.0.0.1:2379']),
})

/** For API servers on other machines. The usual port belongs to an etcd that a test puts there. */
const etcdOf = (cluster: ClusterPlan): string => `https://${cluster.address}:12379`
const etcdForOthers = [
  `--cert-file=${pki('etcd-server.crt')}`,
  `--key-file=${pki('etcd-server.key')}`,
  `--trusted-ca-file=${pki('etcd-ca.crt')}`,
  '--client-cert-auth',
]

/** A further API server of a host, on a machine of its own. Pure. */
export const otherApiServer = (host: ClusterPlan, { address }: MachinePlan): Record<'kube-apiserver', string[]> => ({
  'kube-apiserver': apiServer(address, [
    `--etcd-servers=${etcdOf(host)}`,
    `--etcd-cafile=${pki('etcd-ca.crt')}`,
    `--etcd-certfile=${pki('etcd-client.crt')}`,
    `--etcd-keyfile=${pki('etcd-client.key')}`,
  ]),
})

const apiServer = (address: string, etcd: string[]): string[] => [
  program('kube-apiserver'),
  ...etcd,
  '--bind-address=0.0.0.0',
  `--secure-port=${apiPort}`,
  `--advertise-address=${address}`,
  `--service-cluster-ip-range=${serviceNetwork}`,
  `--client-ca-file=${pki('ca.crt')}`,
  `--tls-cert-file=${pki('apiserver.crt')}`,
  `--tls-private-key-file=${pki('apiserver.key')}`,
  `--service-account-key-file=${pki('sa.pub')}`,
  `--service-account-signing-key-file=${pki('sa.key')}`,
  '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
  '--authorization-mode=Node,RBAC',
  '--enable-admission-plugins=NodeRestriction',
  '--enable-bootstrap-token-auth',
  '--allow-privileged=true',
  `--kubelet-client-certificate=${pki('apiserver-kubelet-client.crt')}`,
  `--kubelet-client-key=${pki('apiserver-kubelet-client.key')}`,
  '--kubelet-preferred-address-types=InternalIP',
  `--requestheader-client-ca-file=${pki('front-proxy-ca.crt')}`,
  '--requestheader-allowed-names=front-proxy-client',
  '--requestheader-extra-headers-prefix=X-Remote-Extra-',
  '--requestheader-group-headers=X-Remote-Group',
  '--requestheader-username-headers=X-Remote-User',
  `--proxy-client-cert-file=${pki('front-proxy-client.crt')}`,
  `--proxy-client-key-file=${pki('front-proxy-client.key')}`,
]

/** What runs once the API server answers. Pure. */
export const controllers = (): Record<'kube-controller-manager' | 'kube-scheduler', string[]> => ({
  'kube-controller-manager': [
    program('kube-controller-manager'),
    ...['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map(
      flag => `--${flag}=${conf('controller-manager')}`,
    ),
    '--use-service-account-credentials',
    `--service-account-private-key-file=${pki('sa.key')}`,
    `--root-ca-file=${pki('ca.crt')}`,
    `--cluster-signing-cert-file=${pki('ca.crt')}`,
    `--cluster-signing-key-file=${pki('ca.key')}`,
    '--allocate-node-cidrs',
    `--cluster-cidr=${podNetwork}`,
    `--service-cluster-ip-range=${serviceNetwork}`,
    '--leader-elect=false',
    '--controllers=*,bootstrapsigner,tokencleaner',
  ],
  'kube-scheduler': [program('kube-scheduler'), `--kubeconfig=${conf('scheduler')}`, '--leader-elect=false'],
})
