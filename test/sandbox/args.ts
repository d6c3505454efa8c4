import { isIP } from 'node:net'
import { parseArgs } from 'node:util'
import { UserError } from '../../src/errors.ts'
import { limits, type Shape } from './plan.ts'

/** What the command line asks for. */
export type Request =
  | { verb: 'help' }
  | { verb: 'up'; name: string; shape: Shape }
  | { verb: 'down'; names: string[] | 'all' }
  | { verb: 'status'; name: string | undefined }
  | { verb: 'kubeconfig'; name: string; hub: boolean }
  | { verb: 'shell'; name: string; machine: string; command: string[] }
  | { verb: 'logs'; name: string; machine: string; component: string | undefined; follow: boolean }

export const usage = `Real clusters on this machine, without Docker: Kubernetes, Karmada and its members in network namespaces,
and machines with a Docker engine for an etcd outside of them.

Usage: npm run sandbox -- COMMAND [flags]

  up                      make it, or complete it
      --members N           pull-mode members, each behind its own NAT (default 2)
      --push N              push-mode members (default 0)
      --hosts N             host clusters, each with a Karmada (default 1)
      --karmada=false       hosts without Karmada, members that join nothing
      --machines N          machines for etcd, each with a Docker engine and no Kubernetes (default 0)
      --api-servers N       API servers of the first host, each on a machine of its own (default 1)
      --vm-nodes N          nodes of the first host in virtual machines, with a kernel of their own (default 0)
      --vip ADDRESS         a virtual address that those API servers' certificates are made out for, too
  down [--all]            remove it, whatever state it is in
  status                  what runs
  shell MACHINE [-- COMMAND...]   a shell (or one command) on a cluster's machine, with its kubeconfig; \`karmada\` for the control plane
  logs MACHINE [COMPONENT] [-f]   what a component said; without COMPONENT, which there are
  kubeconfig [--hub]      the path of its kubeconfig; --hub: without the members' contexts

  --name NAME             which sandbox (default: default); several can be up at once
`

const options = {
  name: { type: 'string', default: 'default' },
  members: { type: 'string', default: '2' },
  push: { type: 'string', default: '0' },
  hosts: { type: 'string', default: '1' },
  karmada: { type: 'string', default: 'true' },
  machines: { type: 'string', default: '0' },
  'api-servers': { type: 'string', default: '1' },
  'vm-nodes': { type: 'string', default: '0' },
  vip: { type: 'string' },
  all: { type: 'boolean', default: false },
  hub: { type: 'boolean', default: false },
  follow: { type: 'boolean', short: 'f', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** Pure. Throws `UserError` for anything it does not know. */
export function parseRequest(argv: string[]): Request {
  const { values, positionals, tokens } = parsed(argv)
  const [verb, ...rest] = positionals
  if (!verb || verb === 'help' || values.help) return { verb: 'help' }
  const name = sandboxName(values.name)
  const named = tokens.some(token => token.kind === 'option' && token.name === 'name')
  switch (verb) {
    case 'up':
      return { verb, name, shape: shapeOf(values) }
    case 'down':
      return { verb, names: values.all ? 'all' : [name] }
    case 'status':
      return { verb, name: named ? name : undefined }
    case 'kubeconfig':
      return { verb, name, hub: values.hub }
    case 'shell':
      return { verb, name, machine: required(rest[0], 'shell MACHINE'), command: rest.slice(1) }
    case 'logs':
      return {
        verb,
        name,
        machine: required(rest[0], 'logs MACHINE COMPONENT'),
        component: rest[1],
        follow: values.follow,
      }
    default:
      throw new UserError(`unknown command "${verb}"`, { hint: 'npm run sandbox -- help' })
  }
}

function parsed(argv: string[]) {
  try {
    return parseArgs({ args: argv, options, allowPositionals: true, tokens: true })
  } catch (error) {
    const [first = ''] = (error as Error).message.split('. ')
    throw new UserError(first, { hint: 'npm run sandbox -- help' })
  }
}

type ShapeFlag = 'hosts' | 'members' | 'push' | 'karmada' | 'machines' | 'api-servers' | 'vm-nodes'

function shapeOf(values: Record<ShapeFlag, string> & { vip?: string | undefined }): Shape {
  const shape: Shape = {
    hosts: count('hosts', values.hosts, 0, limits.hosts),
    pull: count('members', values.members, 0, limits.pull),
    push: count('push', values.push, 0, limits.push),
    karmada: truth('karmada', values.karmada),
    machines: count('machines', values.machines, 0, limits.machines),
    apiServers: count('api-servers', values['api-servers'], 1, limits.apiServers),
    vmNodes: count('vm-nodes', values['vm-nodes'], 0, limits.vmNodes),
    vip: values.vip,
  }
  if (shape.vip !== undefined && !isIP(shape.vip)) throw new UserError(`--vip=${shape.vip}: an IP address is needed`)
  if (shape.hosts === 0 && (shape.apiServers > 1 || shape.vmNodes > 0))
    throw new UserError('--hosts=0: API servers and nodes have no cluster to belong to')
  if (shape.hosts === 0 && shape.karmada && shape.pull + shape.push > 0)
    throw new UserError('--hosts=0: members have no Karmada to join', {
      hint: '--members 0 leaves them out, --karmada=false lets them join nothing',
    })
  return shape
}

function count(flag: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new UserError(`--${flag}=${text}: a number from ${least} to ${most} is needed`)
  return value
}

function truth(flag: string, text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new UserError(`--${flag}=${text}: true or false is needed`)
  return text === 'true'
}

function sandboxName(text: string): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,29}[a-z0-9])?$/.test(text))
    throw new UserError(`--name=${text}: at most 31 lower-case letters, digits and dashes are needed`)
  return text
}

function required(value: string | undefined, form: string): string {
  if (value) return value
  throw new UserError(`which machine? npm run sandbox -- ${form}`, { hint: 'npm run sandbox -- status' })
}
