import { UserError } from '../errors.ts'
import type { Complete } from './complete.ts'
import { type Flag, flag } from './flag.ts'

/** Known to every command; the kernel acts on them. */
export const kernelFlags = {
  v: flag.count('Log level: 6 shows requests, 8 their headers too (secrets masked)', {
    short: 'v',
    default: 0,
    global: true,
  }),
  quiet: flag.boolean('No progress, only data and errors', { short: 'q', global: true }),
  help: flag.boolean('Help for the command', { short: 'h', global: true }),
}

function memberContext(text: string): { member: string; context: string } {
  const at = text.indexOf('=')
  if (at < 1 || at === text.length - 1)
    throw new UserError(`invalid argument "${text}" for "--member-context" flag: must be NAME=CONTEXT`)
  return { member: text.slice(0, at), context: text.slice(at + 1) }
}

/** The contexts of the kubeconfig that the command would use. */
const contextNames: Complete = async ({ flags, session }) => {
  const { loadKubeconfig } = await import('../kube/kubeconfig-files.ts')
  const path = typeof flags['kubeconfig'] === 'string' ? flags['kubeconfig'] : undefined
  const { contexts, currentContext } = await loadKubeconfig({ env: session.io.env, path })
  return [...contexts.keys()].map(word => ({
    word,
    description: word === currentContext ? 'current context' : undefined,
  }))
}

/** Which clusters, and as whom: kubectl's flags, and the overrides of what is found by itself. */
export const planeFlags = {
  kubeconfig: flag.string('Path of the kubeconfig file; default: $KUBECONFIG, then ~/.kube/config', {
    files: true,
    global: true,
  }),
  context: flag.string('Context of the Karmada control plane; default: found by itself', {
    aliases: ['karmada-context'],
    complete: contextNames,
    global: true,
  }),
  hostContext: flag.string('Context of the cluster that Karmada runs in; default: found by itself', {
    complete: contextNames,
    global: true,
  }),
  memberContext: flag.list('NAME=CONTEXT: the context of member NAME; repeatable; default: found by itself', {
    item: memberContext,
    global: true,
  }),
  namespace: flag.string('Namespace that Karmada runs in on the host cluster; default: found by itself', {
    short: 'n',
    global: true,
  }),
  as: flag.string('User to impersonate', { global: true }),
  asGroup: flag.list('Group to impersonate; repeatable', { global: true }),
  asUid: flag.string('UID to impersonate', { global: true }),
  requestTimeout: flag.duration('Limit of one request to a server; 0: none', { bareSeconds: true, global: true }),
}

/** For every command that changes something. */
export const mutatingFlags = {
  dryRun: flag.choice(
    ['none', 'client', 'server'],
    'client: print the objects and change nothing; server: let the servers validate them and change nothing',
    { default: 'none', bare: 'client' },
  ),
  wait: flag.boolean('Wait until what was started is ready', { default: true }),
  timeout: flag.duration('Limit of each wait', { default: 5 * 60_000 }),
  yes: flag.boolean('Do not ask for confirmation', { short: 'y' }),
  force: flag.boolean('Overwrite what somebody else set by hand'),
}

/** `-o` with the formats that the command knows. */
export function outputFlag<const C extends string>(formats: readonly C[]): Flag<C | undefined> {
  const base = flag.choice(formats, `Output format. One of: (${formats.join(', ')})`, { short: 'o' })
  return {
    ...base,
    read(texts) {
      const last = texts.at(-1)
      const found = formats.find(format => format === last)
      if (last !== undefined && found === undefined)
        throw new UserError(`unknown output format "${last}", allowed formats are: ${formats.join(', ')}`)
      return found
    },
  }
}

export const outputFlags = { output: outputFlag(['json', 'yaml', 'name', 'wide']) }

export type Output = 'json' | 'yaml' | 'name' | 'wide'
