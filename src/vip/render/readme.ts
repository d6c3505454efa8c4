import { familyOf, formatEndpoint } from '../address.ts'
import type { VipSettings } from '../settings.ts'

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

Their certificates must name ${vip}, or else clients must be told another name (\`tls-server-name\` in their kubeconfig). On an
API server of kubeadm: add ${vip} to \`apiServer.certSANs\` of its configuration, move \`/etc/kubernetes/pki/apiserver.crt\` and
\`apiserver.key\` away, then \`kubeadm init phase certs apiserver --config FILE\`, and restart kube-apiserver.

## 2. Copy

From here, in this folder, for each node:

\`\`\`sh
tar -c . | ssh root@NODE 'mkdir -p karmada-net-vip && tar -x --no-same-owner -C karmada-net-vip'
\`\`\`

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
\`ipvs.excludeCIDRs: [${vip}/${familyOf(vip) === 'ipv6' ? 128 : 32}]\`; in its mode nftables it empties the table when it starts. By hand nothing puts
the rules back then but \`systemctl restart karmada-net-vip\`: see "Without an agent".

## 6. Clients

What uses ${url} now reaches whichever API server the kernel chooses: \`server:\` in
\`/etc/kubernetes/kubelet.conf\` (then \`systemctl restart kubelet\`), \`kubeadm join ${service}\` for a node that is new.

## Without an agent

Nobody looks whether an API server lives. One that is down gets its share of new connections all the same: they are refused, or
hang where it does not answer at all, until somebody takes it out, on each node:

\`\`\`sh
ipvsadm -d -t ${service} -r ADDRESS:PORT
\`\`\`

Open connections to it are reset then, and come back to another. \`systemctl restart karmada-net-vip\` does not bring it back, nor
does it disturb what is there; \`sh install.sh\` and a boot do.

\`kubectl karmada-net vip up --vip ${vip} --port ${port}\` hands such nodes to an agent, which finds a dead API server within a second,
follows those that come and go, and puts back what somebody removed. It takes over what is here: same paths, same
unit. From then on \`vip up\` and \`vip down\` look after the node, and these scripts refuse to.

## Later

* Other API servers: \`vip render --force\` with the new list, copy, install. Connections to those that stay go on.
* Another virtual IP: \`uninstall.sh\` with the old folder first.
* The end, when nobody uses it any more: \`sh karmada-net-vip/uninstall.sh\`. Rules, route, sysctls and files are as before then.
`
}
