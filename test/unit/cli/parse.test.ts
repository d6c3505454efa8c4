import { expect, test } from 'vitest'
import { arg } from '../../../src/cli/arg.ts'
import { defineCommand, defineNoun } from '../../../src/cli/command.ts'
import { flag } from '../../../src/cli/flag.ts'
import { mutatingFlags, outputFlags, planeFlags } from '../../../src/cli/flags.ts'
import { runCaptured, tableOf } from './fake-io.ts'

const up = defineCommand({
  name: 'anp up',
  summary: 'Connect',
  examples: [],
  args: { members: arg.many('MEMBER') },
  flags: {
    ...planeFlags,
    ...mutatingFlags,
    ...outputFlags,
    all: flag.boolean('All', { short: 'a' }),
    replicas: flag.count('Replicas', { default: 2, min: 1, max: 8 }),
  },
  async run({ session, flags, members }) {
    session.out(JSON.stringify({ members, ...flags, quiet: session.quiet, v: session.verbosity }))
  },
})
const replace = defineCommand({
  name: 'etcd member replace',
  summary: 'Replace',
  examples: [],
  args: { old: arg.one('OLD', { required: true }), shell: arg.choice('SHELL', ['bash', 'zsh']) },
  async run({ session, old, shell }) {
    session.out(JSON.stringify({ old, shell }))
  },
})
const etcdMember = defineNoun({ name: 'etcd member', summary: 'Members', commands: [replace] })
const table = tableOf(
  defineNoun({ name: 'anp', summary: 'Tunnels', commands: [up] }),
  defineNoun({ name: 'etcd', summary: 'etcd', commands: [etcdMember] }),
)

/** A row's command line is one string; blanks separate its words, `''` is an empty one. */
const words = (line: string) => (line === '' ? [] : line.split(' ').map(word => (word === "''" ? '' : word)))

// kubectl's shapes, and what the command gets of them.
test.each<[string, object]>([
  ['anp up', { members: [], all: false, wait: true, dryRun: 'none', timeout: 300_000, replicas: 2, memberContext: [] }],
  ['anp up -nNS', { namespace: 'NS' }],
  ['anp up -n NS', { namespace: 'NS' }],
  ['anp up -n=NS', { namespace: 'NS' }],
  ['anp up -n=', { namespace: '' }],
  ['anp up --namespace NS m1', { namespace: 'NS', members: ['m1'] }],
  ['anp up -ojson', { output: 'json' }],
  ['anp up -o=json', { output: 'json' }],
  ['anp up -v6', { v: 6 }],
  ['anp up -v=6', { v: 6 }],
  ['anp up --v=6', { v: 6 }],
  ['anp up -qv6', { quiet: true, v: 6 }],
  ['anp up -aqnNS m1', { all: true, quiet: true, namespace: 'NS', members: ['m1'] }],
  ['anp up -a=false', { all: false }],
  ['anp up --context a --context b', { context: 'b' }],
  ['anp up --karmada-context a', { context: 'a' }],
  ['anp up --karmada-context a --context b', { context: 'b' }],
  ['anp up --context --host-context', { context: '--host-context' }],
  ['anp up --context="a"', { context: '"a"' }],
  ["anp up --context 'a'", { context: "'a'" }],
  ['anp up --context a=b', { context: 'a=b' }],
  ["anp up --context ''", { context: '' }],
  ['anp up --dry-run m1', { dryRun: 'client', members: ['m1'] }],
  ['anp up --dry-run=server m1', { dryRun: 'server', members: ['m1'] }],
  ['anp up --dry-run --dry-run=none', { dryRun: 'none' }],
  ['anp up --no-wait', { wait: false }],
  ['anp up --wait=false', { wait: false }],
  ['anp up --wait=F', { wait: false }],
  ['anp up --no-wait --wait', { wait: true }],
  ['anp up --wait m1', { wait: true, members: ['m1'] }],
  ['anp up --as-group g1 m1 --as-group g2,g3', { asGroup: ['g1', 'g2,g3'], members: ['m1'] }],
  ['anp up --member-context m1=edge', { memberContext: [{ member: 'm1', context: 'edge' }] }],
  ['anp up --timeout=1m30s --request-timeout 30', { timeout: 90_000, requestTimeout: 30_000 }],
  ['anp up --replicas 3', { replicas: 3 }],
  ['anp up 007 1e3 0x10 true', { members: ['007', '1e3', '0x10', 'true'] }],
  ['anp up --as 007 --as-uid 1e3', { as: '007', asUid: '1e3' }],
  ['anp up m1 --all m2', { members: ['m1', 'm2'], all: true }],
  ['--context up anp up m1', { context: 'up', members: ['m1'] }],
  ['-n anp anp -v 8 up', { namespace: 'anp', v: 8 }],
  ['anp up -- --all -x', { all: false, members: ['--all', '-x'] }],
  ['anp up m1 -- --help', { members: ['m1', '--help'] }],
  ['anp up -', { members: ['-'] }],
  ['anp up __proto__ constructor', { members: ['__proto__', 'constructor'] }],
  ['etcd member replace m1', { old: 'm1' }],
  ['etcd member replace m1 zsh', { old: 'm1', shell: 'zsh' }],
])('%s', async (line, expected) => {
  const { code, stdout, stderr } = await runCaptured(table, words(line))
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toMatchObject(expected)
  expect(code).toBe(0)
})

const help = (path: string) => `kubectl karmada-net ${path} --help`
test.each<[string, string, string?]>([
  ['anp up --contxt x', 'unknown flag: --contxt', 'did you mean --context?'],
  ['anp --contxt x up', 'unknown flag: --contxt', 'did you mean --context?'],
  ['--contxt x anp up', 'unknown flag: --contxt', 'did you mean --context?'],
  ['anp up --karmada-contxt=x', 'unknown flag: --karmada-contxt', 'did you mean --karmada-context?'],
  ['anp up --zebra', 'unknown flag: --zebra', help('anp up')],
  ['anp up --no-context', 'unknown flag: --no-context', 'did you mean --context?'],
  ['anp up --no-wait=true', 'unknown flag: --no-wait'],
  ['anp up -ax', "unknown shorthand flag: 'x' in -ax", help('anp up')],
  ['anp --zebra', 'unknown flag: --zebra'],
  ['anp up --context', 'flag needs an argument: --context'],
  ['anp up -n', "flag needs an argument: 'n' in -n"],
  ['anp up --wait=maybe', 'invalid argument "maybe" for "--wait" flag: must be true or false'],
  ['anp up --dry-run=all', 'invalid argument "all" for "--dry-run" flag: must be "none", "client" or "server"'],
  ['anp up -o xml', 'unknown output format "xml", allowed formats are: json, yaml, name, wide'],
  ['anp up --timeout 5', 'invalid argument "5" for "--timeout" flag: must be a duration such as 30s, 5m or 1m30s'],
  ['anp up --replicas many', 'invalid argument "many" for "--replicas" flag: must be a whole number'],
  ['anp up --replicas 0', 'invalid argument "0" for "--replicas" flag: must be 1 or more'],
  ['anp up --replicas 9', 'invalid argument "9" for "--replicas" flag: must be 8 or less'],
  ['anp up --member-context m1', 'invalid argument "m1" for "--member-context" flag: must be NAME=CONTEXT'],
  ['anp upp', 'unknown command "upp" for "kubectl karmada-net anp"', 'did you mean "kubectl karmada-net anp up"?'],
  ['apn up', 'unknown command "apn" for "kubectl karmada-net"', 'did you mean "kubectl karmada-net anp"?'],
  ['zebra', 'unknown command "zebra" for "kubectl karmada-net"', 'kubectl karmada-net --help'],
  ['help anp upp', 'unknown command "upp" for "kubectl karmada-net anp"'],
  ['etcd member replace', 'OLD is missing', 'kubectl karmada-net etcd member replace OLD [SHELL]'],
  ['etcd member replace a zsh c', 'unexpected argument "c"', 'kubectl karmada-net etcd member replace OLD [SHELL]'],
  ['etcd member replace a tcsh', 'invalid argument "tcsh" for SHELL', 'one of: bash, zsh'],
  ["anp ''", 'unknown command "" for "kubectl karmada-net anp"'],
])('%s: %s', async (line, message, hint) => {
  const { code, stdout, stderr } = await runCaptured(table, words(line))
  const [first, second, ...rest] = stderr.trimEnd().split('\n')
  expect(first).toBe(`error: ${message}`)
  if (hint) expect(second).toBe(`hint: ${hint}`)
  expect({ code, stdout, rest }).toEqual({ code: 1, stdout: '', rest: [] })
})

// Of the nouns `near` and `far`: which are opened for a command line, each of them time at the start.
test.each<[string, string[]]>([
  ['', []],
  ['--help', []],
  ['-q -v6 --help', []],
  ['__complete ne', []],
  ['alone --all', []],
  ['zebra', []],
  ['near', ['near']],
  ['near up --all', ['near']],
  ['help near up', ['near']],
  ['-n far near up', ['near']],
  ['__complete near u', ['near']],
  ['near --far up', ['near']],
  ['--all near up', ['near', 'far']],
  ['--zebra', ['near', 'far']],
])('%j opens %j', async (line, expected) => {
  const opened = new Set<string>()
  const noun = (name: string) =>
    defineNoun({ name, summary: name, commands: async () => (opened.add(name) ? [command(`${name} up`)] : []) })
  const command = (name: string) =>
    defineCommand({ name, summary: name, examples: [], flags: { all: flag.boolean('All') }, run: async () => {} })
  await runCaptured(tableOf(noun('near'), noun('far'), command('alone')), words(line))
  expect([...opened]).toEqual(expected)
})
