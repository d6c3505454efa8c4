import { counted } from '../../counted.ts'
import { formatEndpoint } from '../address.ts'
import { schedulers, type VipSettings } from '../settings.ts'
import { elsewhere, few, type Objection } from '../up/objections.ts'
import type { NodeLook } from './look.ts'
import type { Looks } from './pods.ts'

/** Why nodes cannot have the virtual IP, one for each reason however many nodes there are; none: they can. Pure. */
export function judgeLooks(looks: Looks, settings: VipSettings): Objection[] {
  const grouped = new Map<string, { nodes: string[]; hint: string }>()
  for (const [node, look] of [...looks].toSorted(([a], [b]) => a.localeCompare(b))) {
    for (const { text, hint } of typeof look === 'string' ? [unseen(look)] : against(look, settings)) {
      const group = grouped.get(text)
      if (group) group.nodes.push(node)
      else grouped.set(text, { nodes: [node], hint })
    }
  }
  return [...grouped].map(([text, { nodes, hint }]) => ({ text: `${few(nodes)}: ${text}`, hint }))
}

type Reason = Required<Objection>

function unseen(why: string): Reason {
  const text = `could not be looked at: ${why}`
  if (/attr\/(keycreate|exec|fscreate)|spc_t/.test(why))
    return { text, hint: 'on such a node: dnf install container-selinux   # SELinux does not know its type spc_t' }
  if (/image/.test(why)) return { text, hint: 'from a registry that nodes reach: --image-registry mirror.example.com' }
  return { text, hint: 'mend that, leave such nodes out with --nodes, or go on without having looked: --force' }
}

const against = (look: NodeLook, settings: VipSettings): Reason[] =>
  [
    kernel(look, settings),
    ...programs(look),
    ...(look.ours ? [] : inUse(look, settings)),
    ...networks(look, settings),
    sysctls(look),
  ].filter(reason => reason !== undefined)

function kernel({ kernel, modules, locked }: NodeLook, { scheduler }: VipSettings): Reason | undefined {
  const state = (name: string) => modules[name] ?? 'unknown'
  const module = `ip_vs_${scheduler}`
  if (state('ip_vs') === 'unknown') {
    return {
      text: `no IPVS: module ip_vs is not loaded, and there is no list of modules of kernel ${kernel}`,
      hint: 'on such a node: modprobe ip_vs   # where that works, run the same command again; or leave it out: --nodes',
    }
  }
  if (state('ip_vs') === 'missing') {
    return {
      text: `no IPVS: kernel ${kernel} has no module ip_vs`,
      hint: `on such a node: modprobe ip_vs
where there is none: dnf install kernel-modules-$(uname -r), or apt-get install linux-modules-extra-$(uname -r)
or leave such nodes out: --nodes`,
    }
  }
  const wanted = ['ip_vs', module].filter(name => state(name) === 'loadable')
  if (locked && wanted.length > 0) {
    return {
      text: `${wanted.join(' and ')} cannot be loaded any more: kernel.modules_disabled is 1`,
      hint: `on such a node: printf '%s\\n' ${wanted.join(' ')} >/etc/modules-load.d/ip_vs.conf && reboot`,
    }
  }
  if (state(module) !== 'missing') return undefined
  const other = schedulers.find(name => !['missing', 'unknown'].includes(state(`ip_vs_${name}`)))
  return {
    text: `kernel ${kernel} has no scheduler ${scheduler} (module ${module})`,
    hint: other === undefined ? `on such a node: modprobe ${module}` : `another one: --scheduler ${other}`,
  }
}

function* programs({ ipvsadm, table, selinux }: NodeLook): Generator<Reason> {
  if (ipvsadm !== undefined)
    yield { text: `in the image: ${ipvsadm}`, hint: 'the image of this version has it: leave out --image' }
  if (table !== undefined) {
    const text = `/proc/net/ip_vs cannot be read: ${reasonOf(table, selinux)}`
    yield { text, hint: denial(selinux) }
  }
}

function* inUse(look: NodeLook, { vip, port, statusPort }: VipSettings): Generator<Reason> {
  const { server, listens, statusTaken, local } = look
  const address = formatEndpoint({ host: vip, port })
  if (server) {
    const what = `${server.scheduler}, ${counted(server.realServers, 'real server')}`
    yield {
      text: `somebody else's virtual server has ${address} already (${what})`,
      hint: `look at it there: ipvsadm -Ln -t ${address}
and where nobody needs it: ipvsadm -D -t ${address}; else take another --vip or --port`,
    }
  }
  if (listens)
    yield {
      text: `something listens on ${address}`,
      hint: `on such a node: ss -ltnp 'src ${address}'; or ${elsewhere(vip)}`,
    }
  if (local)
    yield { text: `${vip} is an address of the node already`, hint: `on such a node: ip address; or ${elsewhere(vip)}` }
  if (statusTaken)
    yield {
      text: `something listens on port ${statusPort}, on which the agent is asked`,
      hint: `on such a node: ss -ltnp 'sport = :${statusPort}'; or another one: --status-port PORT`,
    }
}

function* networks({ networks, routed }: NodeLook, { vip }: VipSettings): Generator<Reason> {
  const [own] = networks
  const [other] = routed
  if (own !== undefined)
    yield {
      text: `${vip} lies in a network of the node, ${own}: it would answer for it there`,
      hint: elsewhere(vip),
    }
  else if (other !== undefined)
    yield { text: `${vip} lies in ${other}, to which the node has a route`, hint: elsewhere(vip) }
}

function sysctls({ sysctls, selinux }: NodeLook): Reason | undefined {
  if (!sysctls) return undefined
  const { names, error } = sysctls
  const text = `${names.join(', ')} cannot be set in /proc/sys: ${reasonOf(error, selinux)}`
  const set = `on such a node: sysctl -w ${names.map(name => `${name}=1`).join(' ')}`
  return {
    text,
    hint: error === 'EROFS' ? `on such a node: mount -o remount,rw /proc/sys\nor ${set}` : denial(selinux),
  }
}

function reasonOf(code: string, selinux: NodeLook['selinux']): string {
  if (code === 'EROFS') return 'it is read-only'
  if (code !== 'EACCES' && code !== 'EPERM') return code
  return selinux === 'enforcing' ? 'permission denied by SELinux, which is enforcing' : 'permission denied'
}

const denial = (selinux: NodeLook['selinux']): string =>
  selinux === 'enforcing'
    ? 'on such a node: ausearch -m avc -ts recent   # what was denied, and to whom'
    : 'on such a node: dmesg | grep -i denied   # AppArmor says there what it denies'

/** What the nodes have in common, in a few words. Pure. */
export function summary(looks: Looks): string {
  const seen = [...looks].flatMap(([node, look]) => (typeof look === 'string' ? [] : [{ node, ...look }]))
  const kernels = [...new Set(seen.map(({ kernel }) => kernel))].sort()
  const bare = seen.filter(({ boot }) => boot === 'none').map(({ node }) => node)
  return [
    `${counted(seen.length, 'node')}: kernel ${few(kernels, 2)}`,
    ...(bare.length > 0 ? [`without systemd: ${few(bare, 2)}`] : []),
  ].join('; ')
}
