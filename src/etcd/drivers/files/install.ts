import { configFolder, dataFolder, unitName } from './names.ts'

/** What puts a member's files in their places on its machine, in their folder there; again: changes what differs. Pure. */
export function systemdInstall(cluster: string): string {
  const config = configFolder(cluster)
  return `install -D -m 0644 etcd.sysusers /etc/sysusers.d/etcd.conf
systemd-sysusers /etc/sysusers.d/etcd.conf
install -d -m 0755 ${config}
install -d -o etcd -g etcd -m 0700 ${config}/pki
install -o etcd -g etcd -m 0600 pki/ca.crt pki/server.pem pki/peer.pem ${config}/pki/
install -m 0644 etcd.env ${config}/
install -m 0644 ${unitName(cluster)}.service /etc/systemd/system/
systemctl daemon-reload`
}

export function staticPodInstall(cluster: string): string {
  const config = configFolder(cluster)
  return `install -d -m 0755 ${config}
install -d -m 0700 ${config}/pki ${dataFolder(cluster)}
install -m 0600 pki/ca.crt pki/server.pem pki/peer.pem ${config}/pki/`
}

export const manifestFolder = '/etc/kubernetes/manifests'
/** The kubelet begins, or begins anew, when the manifest is there. */
export const staticPodStart = (cluster: string): string =>
  `install -m 0600 ${unitName(cluster)}.yaml ${manifestFolder}/`
