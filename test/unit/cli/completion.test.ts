import { execFile } from 'node:child_process'
import { chmod, lstat, mkdtemp, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { arg } from '../../../src/cli/arg.ts'
import { defineCommand, defineNoun } from '../../../src/cli/command.ts'
import type { Complete } from '../../../src/cli/complete.ts'
import { executablePath, installCompleter, uninstallCompleter } from '../../../src/cli/completion/install.ts'
import { completionScript } from '../../../src/cli/completion/scripts.ts'
import { flag } from '../../../src/cli/flag.ts'
import { mutatingFlags, outputFlags, planeFlags } from '../../../src/cli/flags.ts'
import { UserError } from '../../../src/errors.ts'
import { fakeIo, runCaptured, tableOf } from './fake-io.ts'

let dir: string
let kubeconfig: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'karmada-net-completion-'))
  kubeconfig = join(dir, 'config')
  const contexts = ['hub', 'arn:aws:eu', 'edge'].map(name => ({ name, context: { cluster: 'c', user: 'u' } }))
  await writeFile(kubeconfig, JSON.stringify({ 'current-context': 'hub', contexts }))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

const members: Complete = ({ flags }) =>
  flags['context'] === 'edge' ? ['e1'] : [{ word: 'member1', description: 'pull\tmode' }, { word: 'member2' }, 'm3']
const up = defineCommand({
  name: 'anp up',
  summary: 'Connect',
  examples: [],
  args: { members: arg.many('MEMBER', { complete: members }) },
  flags: { ...planeFlags, ...mutatingFlags, ...outputFlags, all: flag.boolean('Every member', { short: 'a' }) },
  run: async () => {},
})
const failing = defineCommand({
  name: 'failing',
  summary: 'Fails',
  examples: [],
  args: { name: arg.one('NAME', { complete: () => Promise.reject(new UserError('no answer')) }) },
  run: async () => {},
})
const hanging = defineCommand({
  name: 'hanging',
  summary: 'Hangs',
  examples: [],
  hidden: true,
  args: { name: arg.one('NAME', { complete: () => new Promise(() => {}) }) },
  run: async () => {},
})
const shell = defineCommand({
  name: 'shell',
  summary: 'Shell',
  examples: [],
  args: { shell: arg.choice('SHELL', ['bash', 'zsh']) },
  run: async () => {},
})
const table = tableOf(defineNoun({ name: 'anp', summary: 'Tunnels', commands: [up] }), failing, hanging, shell)

/** The answer to `line`, whose last word is the one being typed; a blank at the end begins a new one. */
async function answer(line: string) {
  const io = fakeIo({ env: { KUBECONFIG: kubeconfig } })
  const result = await runCaptured(table, ['__complete', ...line.split(' ')], io)
  expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: '' })
  return result.stdout.trimEnd().split('\n')
}
const bare = (line: string) => line.split('\t')[0]

test.each<[string, string[]]>([
  ['', ['anp', 'failing', 'shell']],
  ['s', ['shell']],
  ['anp ', ['up']],
  ['help anp ', ['up']],
  ['-n x anp ', ['up']],
  ['zebra ', []],
  ['anp up ', ['member1', 'member2', 'm3']],
  ['anp up mem', ['member1', 'member2']],
  ['anp up member1 ', ['member2', 'm3']],
  ['anp up --all ', ['member1', 'member2', 'm3']],
  ['anp up --context edge ', ['e1']],
  ['anp up --timeout never ', ['member1', 'member2', 'm3']],
  ['anp up --zebra ', ['member1', 'member2', 'm3']],
  ['anp up -- ', ['member1', 'member2', 'm3']],
  ['anp up -- --a', []],
  ['anp up --al', ['--all']],
  ['anp up --all --al', []],
  ['anp up --as-group a --as-g', ['--as-group']],
  ['anp up --context ', ['hub', 'arn:aws:eu', 'edge']],
  ['anp up --karmada-context e', ['edge']],
  ['anp up --context=e', ['edge']],
  ['anp up --dry-run=', ['none', 'client', 'server']],
  ['anp up --dry-run ', ['member1', 'member2', 'm3']],
  ['anp up -o j', ['json']],
  ['anp up --wait=', ['true', 'false']],
  ['shell ', ['bash', 'zsh']],
  ['shell bash ', []],
  ['failing ', []],
  ['anp --qu', ['--quiet']],
])('%j offers %j', async (line, words) => {
  const lines = await answer(line)
  expect(lines.slice(0, -1).map(bare)).toEqual(words)
  expect(lines.at(-1)).toBe(':4')
})

test('a candidate and its description are one line', async () => {
  expect((await answer('anp up member1'))[0]).toBe('member1\tpull mode')
  expect(await answer('anp up --context h')).toEqual(['hub\tcurrent context', ':4'])
})

test.each(['anp up --kubeconfig ', 'anp up --kubeconfig=x'])('%j leaves it to the shell to offer files', async line =>
  expect(await answer(line)).toEqual([':0']),
)

test('what does not answer in a second offers nothing', async () => expect(await answer('hanging ')).toEqual([':4']))

test.each([
  ['/usr/bin/kubectl_complete-karmada_net', ['s'], 'shell\tShell\n:4\n'],
  ['kubectl_complete-karmada_net', ['__complete', 's'], 'shell\tShell\n:4\n'],
  ['C/kubectl_complete-karmada_net.exe', [''], 'anp\tTunnels\nfailing\tFails\nshell\tShell\n:4\n'],
])('started as %s it completes', async (invokedAs, argv, stdout) => {
  expect(await runCaptured(table, argv, fakeIo({ invokedAs }))).toEqual({ code: 0, stdout, stderr: '' })
})

// The bash script, run by bash: the program is a stand-in that says what it was asked, and offers what the row says.
test.each<[string, string[], string, string[]]>([
  ['kubectl-karmada_net anp u', ['up\tConnect', ':4'], '__complete anp u', ['up']],
  ['kubectl-karmada_net anp ', ['up', 'down\tBack', ':4'], '__complete anp ', ['up', 'down']],
  ['kubectl-karmada_net up --context=e', ['edge', ':4'], '__complete up --context=e', ['edge']],
  ['kubectl-karmada_net up --context arn:a', ['arn:aws:eu', ':4'], '__complete up --context arn:a', ['aws:eu']],
  ['kubectl-karmada_net up --context=arn:aws:', ['arn:aws:eu', ':4'], '__complete up --context=arn:aws:', ['eu']],
  ['kubectl-karmada_net zebra ', [':4'], '__complete zebra ', []],
])('bash completes %j', async (line, offered, asked, replies) => {
  const program = join(dir, 'kubectl-karmada_net')
  const said = join(dir, 'asked')
  await writeFile(
    program,
    `#!/bin/sh\nprintf %s "$*" >"${said}"\nprintf '%b\\n' ${offered.map(word => `'${word}'`).join(' ')}\n`,
  )
  await chmod(program, 0o755)
  const script = `${completionScript('bash', 'kubectl-karmada_net')}
    COMP_LINE="$1" COMP_POINT=\${#1} COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
    __karmada_net_complete
    cat "${said}"; printf '\\n%s' "\${COMPREPLY[@]}"`
  const env = { PATH: `${dir}:${process.env['PATH']}` }
  const { stdout } = await promisify(execFile)('bash', ['-c', script, 'bash', line], { env })
  expect(stdout.split('\n')).toEqual([asked, ...(replies.length > 0 ? replies : [''])])
})

test.each(['bash', 'zsh', 'fish'] as const)('the %s script names the program', name => {
  const script = completionScript(name, 'kubectl-karmada_net')
  expect(script).toContain(`source`)
  expect(script).not.toMatch(/EXECUTABLE|\\\$/)
})

test('installing beside the executable is a link to its name; again it is there already', async () => {
  const bin = await mkdtemp(join(dir, 'bin-'))
  const executable = join(bin, 'kubectl-karmada_net')
  const env = { PATH: `/nowhere:${bin}` }
  const path = join(bin, 'kubectl_complete-karmada_net')
  expect(await installCompleter(executable, bin, env)).toEqual({ path, changed: true, onPath: true })
  expect(await readlink(path)).toBe('kubectl-karmada_net')
  expect(await installCompleter(executable, bin, env)).toEqual({ path, changed: false, onPath: true })
})

test('installing elsewhere links to the full path, and makes the directory; an old link is moved', async () => {
  const bin = join(await mkdtemp(join(dir, 'bin-')), 'not/yet')
  const { path, onPath } = await installCompleter('/opt/kubectl-karmada_net', bin, { PATH: '' })
  expect({ target: await readlink(path), onPath }).toEqual({ target: '/opt/kubectl-karmada_net', onPath: false })
  expect(await installCompleter('/usr/kubectl-karmada_net', bin, {})).toMatchObject({ changed: true })
  expect(await readlink(path)).toBe('/usr/kubectl-karmada_net')
})

test('a file that somebody else put there stays', async () => {
  const bin = await mkdtemp(join(dir, 'bin-'))
  const path = join(bin, 'kubectl_complete-karmada_net')
  await writeFile(path, '#!/bin/sh\n')
  await expect(installCompleter('/opt/kubectl-karmada_net', bin, {})).rejects.toThrow(`${path} is there already`)
  await expect(uninstallCompleter(bin, {})).rejects.toThrow(`${path} was not put there by this command`)
  expect((await lstat(path)).isFile()).toBe(true)
})

test('the executable is found by the name it was called by', async () => {
  const bin = await mkdtemp(join(dir, 'bin-'))
  await symlink(kubeconfig, join(bin, 'kubectl-karmada_net'))
  const env = { PATH: `/nowhere:${bin}` }
  expect(await executablePath('kubectl-karmada_net', env)).toBe(join(bin, 'kubectl-karmada_net'))
  expect(await executablePath('/opt/kubectl-karmada_net', env)).toBe('/opt/kubectl-karmada_net')
  expect(await executablePath('not-there', env)).toBe(process.execPath)
})
