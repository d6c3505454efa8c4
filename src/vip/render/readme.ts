import { familyOf, formatEndpoint } from '../address.ts'
import { name } from '../names.ts'
import type { VipSettings } from '../settings.ts'
import { authorityFile, settingsFolder, uninstallFile } from './places.ts'

/** The commands in order, for people and for those who make ansible roles of them. Pure. */
export function readme(settings: VipSettings): string {
  const { vip, port, staticServers } = settings
  const service = formatEndpoint({ host: vip, port })
  const url = `https://${service}`
  return `# ${service} on a node, by hand

A node with these files reaches the API servers by the virtual IP ${vip} port ${port}, which leads to
${staticServers.join(', ')}. The kernel (IPVS) does it; a unit of systemd puts it back at every boot
before kubelet, without asking anybody. \`kubectl karmada-net vip render\` wrote them; the folder is the same for every node. The
node needs systemd, and the packages \`ipvsadm\` and \`iproute2\` (\`iproute\`).

## 1. API servers

${certificates(vip)}

## 2. Copy

From here, in this folder, for each node:

${copy}

## 3. Install

On the node, as root; again it changes what differs:

\`\`\`sh
command -v ipvsadm || apt-get install --yes ipvsadm || dnf install --assumeyes ipvsadm
sh karmada-net-vip/install.sh
\`\`\`

## 4. Check

\`\`\`sh
ipvsadm -Ln -t ${service}
curl -k ${url}/livez
\`\`\`

## 5. kube-proxy

In its mode ipvs it removes every virtual server that it does not know, unless its configuration says
\`ipvs.excludeCIDRs: [${vip}/${familyOf(vip) === 'ipv6' ? 128 : 32}]\`; in its mode nftables it empties the table when it starts, and the unit puts
the rules back within seconds.

## 6. Clients

${clients(service)}

## Without an agent

Nobody looks whether an API server lives. One that is down gets its share of new connections all the same: they are refused, or
hang where it does not answer at all, until somebody takes it out, on each node:

\`\`\`sh
ipvsadm -d -t ${service} -r ADDRESS:PORT
\`\`\`

Open connections to it are reset then, and come back to another. \`systemctl restart karmada-net-vip\` does not bring it back, nor
does it disturb what is there; \`sh install.sh\` and a boot do.

\`kubectl karmada-net vip up --vip ${vip} --port ${port}\` hands such nodes to an agent, which finds a dead API server within a second,
follows those that come and go, and puts back at once what somebody removed. It takes over what is here: same paths, same
unit. From then on \`vip up\` and \`vip down\` look after the node, and these scripts refuse to.

## Later

* Other API servers: \`vip render --force\` with the new list, copy, install. Connections to those that stay go on.
* Another virtual IP: \`uninstall.sh\` with the old folder first.
* The end, when nobody uses it any more: \`sh karmada-net-vip/uninstall.sh\`. Rules, route, sysctls and files are as before then.
`
}

/** As `readme`, for nodes whose kubelet runs the agent. Pure. */
export function staticPodReadme({ vip, port, staticServers, statusPort }: VipSettings): string {
  const service = formatEndpoint({ host: vip, port })
  return `# ${service} on a node, as a static pod

The kubelet of a node with these files runs an agent from a file, without any API server. It leads the virtual IP ${vip} port
${port} to ${staticServers.join(', ')}, finds a dead one within a second, and puts back what somebody
removed. It has no account of the cluster: the list in \`settings.json\` is all that it knows. \`kubectl karmada-net vip render\`
wrote them; the folder is the same for every node. The node needs the cluster's authority in \`${authorityFile}\`, and its
container runtime must have the pod's image or reach its registry without API servers.

## 1. API servers

${certificates(vip)}

## 2. Copy

From here, in this folder, for each node:

${copy}

## 3. Install

On the node, as root, in \`~/karmada-net-vip\`. The folder is the kubelet's \`staticPodPath\`; kubeadm's is this.

\`\`\`sh
install -D -m 0644 settings.json ${settingsFolder}/settings.json
install -D -m 0600 ${manifestFile} ${manifestFolder}/${manifestFile}
\`\`\`

## 4. Check

\`\`\`sh
crictl ps --name '^agent$'
curl -s http://NODE_ADDRESS:${statusPort}/healthz
curl -k https://${service}/livez
\`\`\`

## 5. Clients

${clients(service)}

At a boot the rules are there once the kubelet has started the pod, which takes it some seconds: until then it cannot reach the API
servers by ${vip}, and tries again. Where the node runs systemd, the pod also installs a unit that puts them back before kubelet.

## Later

* Other API servers: \`vip render --force\` with the new list, copy, the first line of step 3. The agent reads it within a second.
* \`kubectl karmada-net vip up\` brings an agent of the cluster, and there is room for one: first
  \`rm ${manifestFolder}/${manifestFile}\` on each node. The rules stay meanwhile.
* The end, when nobody uses it any more; rules, route, sysctls and files are as before then:

\`\`\`sh
rm ${manifestFolder}/${manifestFile}
while crictl ps --quiet --name '^agent$' | grep -q .; do sleep 1; done
install -m 0600 ${uninstallFile} ${manifestFolder}/${uninstallFile}
until crictl ps --all --state Exited --quiet --name '^uninstall$' | grep -q .; do sleep 1; done
crictl logs "$(crictl ps --all --quiet --latest --name '^uninstall$')"
rm ${manifestFolder}/${uninstallFile}
rm -r ${settingsFolder}
rmdir --ignore-fail-on-non-empty /etc/karmada-net
\`\`\`
`
}

const manifestFolder = '/etc/kubernetes/manifests'
const manifestFile = `${name}.yaml`

const certificates = (
  vip: string,
) => `Their certificates must name ${vip}, or else clients must be told another name (\`tls-server-name\` in their kubeconfig). On an
API server of kubeadm: add ${vip} to \`apiServer.certSANs\` of its configuration, move \`/etc/kubernetes/pki/apiserver.crt\` and
\`apiserver.key\` away, then \`kubeadm init phase certs apiserver --config FILE\`, and restart kube-apiserver.`

const copy = `\`\`\`sh
tar -c . | ssh root@NODE 'mkdir -p karmada-net-vip && tar -x --no-same-owner -C karmada-net-vip'
\`\`\``

const clients = (
  service: string,
) => `What uses https://${service} now reaches whichever API server the kernel chooses: \`server:\` in
\`/etc/kubernetes/kubelet.conf\` (then \`systemctl restart kubelet\`), \`kubeadm join ${service}\` for a node that is new.`
