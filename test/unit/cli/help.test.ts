import { expect, test } from 'vitest'
import { arg } from '../../../src/cli/arg.ts'
import { defineCommand, defineNoun } from '../../../src/cli/command.ts'
import { flag } from '../../../src/cli/flag.ts'
import { mutatingFlags, planeFlags } from '../../../src/cli/flags.ts'
import { commandsMarkdown } from '../../../src/cli/markdown.ts'
import { runCaptured, tableOf } from './fake-io.ts'

const up = defineCommand({
  name: 'anp up',
  summary: 'Connect pull-mode members',
  description: 'Gives Karmada a way in.',
  examples: [
    ['Every member', 'anp up --all'],
    ['Objects only', 'anp up m1 --dry-run'],
  ],
  args: { members: arg.many('MEMBER') },
  flags: { ...planeFlags, dryRun: mutatingFlags.dryRun, all: flag.boolean('Every pull-mode member', { short: 'a' }) },
  run: async () => {},
})
const secret = defineCommand({
  name: 'anp secret',
  summary: 'Not shown',
  examples: [],
  hidden: true,
  run: async () => {},
})
const table = tableOf(
  defineNoun({ name: 'anp', summary: 'Tunnels to members', commands: [up, secret] }),
  defineCommand({ name: 'contexts', summary: 'Who is who', examples: [], run: async () => {} }),
)

const shown = async (line: string) => {
  const { code, stdout, stderr } = await runCaptured(table, line === '' ? [] : line.split(' '))
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

test('the program alone lists its commands in their groups', async () => {
  expect(await shown('')).toMatchInlineSnapshot(`
    "A table for tests.

    Test Commands:
      anp           Tunnels to members
      contexts      Who is who

    Usage:
      kubectl karmada-net COMMAND [options]

    Use "kubectl karmada-net COMMAND --help" for more information about a given command.
    Use "kubectl karmada-net options" for a list of global command-line options (applies to all commands).
    "
  `)
})

test('a noun lists its commands', async () => {
  expect(await shown('anp')).toMatchInlineSnapshot(`
    "Tunnels to members.

    Available Commands:
      up            Connect pull-mode members

    Usage:
      kubectl karmada-net anp COMMAND [options]

    Use "kubectl karmada-net anp COMMAND --help" for more information about a given command.
    Use "kubectl karmada-net options" for a list of global command-line options (applies to all commands).
    "
  `)
})

test('a command says how it is called', async () => {
  expect(await shown('anp up -h')).toMatchInlineSnapshot(`
    "Gives Karmada a way in.

    Examples:
      # Every member
      kubectl karmada-net anp up --all

      # Objects only
      kubectl karmada-net anp up m1 --dry-run

    Options:
        -a, --all=false:
            Every pull-mode member

        --dry-run='none':
            client: print the objects and change nothing; server: let the servers validate them and change nothing

    Usage:
      kubectl karmada-net anp up [MEMBER...] [options]

    Use "kubectl karmada-net options" for a list of global command-line options (applies to all commands).
    "
  `)
})

test.each([
  'help anp up',
  '--help anp up',
  'anp --help up',
  'anp up --zebra -h',
  'anp -n x up m1 --help',
  'help anp up m1',
])('%s is the same help', async line => expect(await shown(line)).toBe(await shown('anp up -h')))

test.each(['help', '-h', '--help', '-q'])('%s is the help of the program', async line =>
  expect(await shown(line)).toBe(await shown('')),
)

test('help=false asks for none', async () => expect(await shown('anp up --help=false')).toBe(''))

test('the reference page has every visible command with its examples and flags', async () => {
  const page = await commandsMarkdown(table)
  expect(page).toContain('* [anp up](#anp-up): Connect pull-mode members\n* [contexts](#contexts): Who is who')
  expect(page).toContain('```sh\nkubectl karmada-net anp up [MEMBER...] [options]\n```')
  expect(page).toContain('# Every member\nkubectl karmada-net anp up --all')
  expect(page).toContain('| `--all`, `-a` | `false` | Every pull-mode member |')
  expect(page).toContain('| `--context`, `--karmada-context` |')
  expect(page).not.toContain('Not shown')
})
