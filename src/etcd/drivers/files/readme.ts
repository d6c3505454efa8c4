import type { MemberSpec } from '../../cluster.ts'
import type { Launch } from '../driver.ts'
import { staticPodInstall, staticPodStart, systemdInstall } from './install.ts'
import { binaryFolder, configFolder, dataFolder, metricsPort, pathsOf, restoreScript, unitName } from './names.ts'

/** The commands in order, for people and for those who make ansible roles of them. Pure. */
export function systemdReadme(cluster: string, member: MemberSpec, launch: Launch): string {
  const name = unitName(cluster)
  const config = configFolder(cluster)
  const { version } = launch
  const release = `https://github.com/etcd-io/etcd/releases/download/v${version}`
  return `${introduction(cluster, member, `runs etcd ${version} under systemd`)}
${copying(cluster, member)}
Everything from here on happens on that machine, as root, in \`~/${folderThere(cluster, member)}\`.

## 2. etcd itself

\`\`\`sh
case $(uname -m) in aarch64) arch=arm64 ;; *) arch=amd64 ;; esac
curl -fLO ${release}/etcd-v${version}-linux-$arch.tar.gz
curl -fLO ${release}/SHA256SUMS
sha256sum --check --ignore-missing SHA256SUMS
install -d ${binaryFolder(version)}
tar -xzf etcd-v${version}-linux-$arch.tar.gz -C ${binaryFolder(version)} --strip-components=1 --no-same-owner
\`\`\`

## 3. Install

\`\`\`sh
${systemdInstall(cluster)}
\`\`\`

## 4. Start

\`\`\`sh
systemctl enable --now --no-block ${name}
\`\`\`

A new cluster's first members stay \`activating\` until more than half of all run.

## 5. Check

\`\`\`sh
systemctl status --no-pager ${name}
curl -sS 'http://127.0.0.1:${metricsPort(launch)}/readyz?verbose'
journalctl -u ${name} -n 20 --no-pager
\`\`\`

${verification}

## Later

* New certificates: copy, then the third \`install\` of step 3. etcd reads them with its next connection; a new \`ca.crt\` only
  after \`systemctl restart ${name}\`.
* New settings or a new version: steps 1 to 3 and \`systemctl restart ${name}\`. \`kubectl karmada-net etcd up\` and
  \`etcd upgrade\` write them for one machine after the other, and wait.
${dataNotes(cluster, launch)}
* The end: \`systemctl disable --now ${name}\`, then remove \`/etc/systemd/system/${name}.service\`, \`${config}\` and
  \`${dataFolder(cluster)}\`.
`
}

export function staticPodReadme(cluster: string, member: MemberSpec, launch: Launch): string {
  const name = unitName(cluster)
  const config = configFolder(cluster)
  return `${introduction(cluster, member, `runs etcd ${launch.version} as a static pod of its kubelet`)}
${copying(cluster, member)}
Everything from here on happens on that node, as root, in \`~/${folderThere(cluster, member)}\`.

## 2. Install

\`\`\`sh
${staticPodInstall(cluster)}
\`\`\`

## 3. Start

The folder is the kubelet's \`staticPodPath\`; kubeadm's is this.

\`\`\`sh
${staticPodStart(cluster)}
\`\`\`

## 4. Check

\`\`\`sh
curl -sS 'http://127.0.0.1:${metricsPort(launch)}/readyz?verbose'
crictl logs --tail 20 "$(crictl ps --all --quiet --latest --name '^${name}$')"
\`\`\`

${verification}

## Later

* New certificates: copy, then the last \`install\` of step 2. etcd reads them with its next connection; a new \`ca.crt\` only
  after a restart: move the manifest out of the folder, wait until the pod is gone, and move it back.
* New settings or a new version: copy, then step 3; the kubelet restarts the pod when its manifest changes.
  \`kubectl karmada-net etcd up\` and \`etcd upgrade\` write them for one node after the other, and wait.
${dataNotes(cluster, launch)}
* The end: remove \`/etc/kubernetes/manifests/${name}.yaml\`, then \`${config}\` and \`${dataFolder(cluster)}\`.
`
}

const folderThere = (cluster: string, member: MemberSpec) => `${unitName(cluster)}-${member.name}`

const introduction = (cluster: string, { name, address }: MemberSpec, how: string) => `# etcd ${cluster}, member ${name}

The machine ${address} ${how}. These files are all that it needs. \`kubectl karmada-net etcd up\` wrote them, and rewrites
what differs: change the inventory, not them.

\`pki/server.pem\` and \`pki/peer.pem\` hold private keys. Encrypt them before they go into a repository.
`

const copying = (cluster: string, member: MemberSpec) => {
  const folder = folderThere(cluster, member)
  return `## 1. Copy

From here, in this folder:

\`\`\`sh
tar -c . | ssh root@${member.address} 'mkdir -p -m 0700 ${folder} && tar -x --no-same-owner -C ${folder}'
\`\`\`
`
}

const verification = 'When all members run, `kubectl karmada-net etcd up` on the machine that wrote this verifies them.'

const dataNotes = (cluster: string, { generation }: Launch) =>
  `* The data is in \`${pathsOf(cluster).data(generation)}\`. A life of a member begins with a new number; folders with a lower one can go.
* Back to a snapshot: \`kubectl karmada-net etcd snapshot restore FILE\` puts it and \`${restoreScript}\` in here. Copy (step 1),
  then \`sh ${restoreScript}\` on each machine; the command waits for all, and verifies.
* Backups: \`kubectl karmada-net etcd snapshot save --every 6h\`, on the machine that is to take them, sets up a timer there; with
  \`--out DIR\` it writes the units only.`
