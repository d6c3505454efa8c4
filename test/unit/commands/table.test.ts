import { expect, test } from 'vitest'
import { allCommands, type Entry } from '../../../src/cli/command.ts'
import { flagName } from '../../../src/cli/flag.ts'
import { kernelFlags } from '../../../src/cli/flags.ts'
import { parse } from '../../../src/cli/parse.ts'
import { route } from '../../../src/cli/route.ts'
import { commands } from '../../../src/commands/index.ts'
import { runCaptured } from '../cli/fake-io.ts'

const all = await allCommands(commands)

const examples = all.flatMap(command => command.examples.map(([, words]) => ({ command, words })))
test.each(examples)('example: $words', async ({ command, words }) => {
  const { entry, rest } = await route(commands, shellWords(words))
  expect(entry).toBe(command)
  expect(() => parse(command, rest)).not.toThrow()
})

/** Enough of a shell for what stands in help. */
const shellWords = (text: string) =>
  [...text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(match => match[1] ?? match[2] ?? match[3] ?? '')

test.each(all.map(command => ({ name: command.name, command })))('$name is described', ({ command }) => {
  expect(command.summary).toMatch(/^\S.{5,78}[^.]$/)
  if (!command.hidden) expect(command.examples.length).toBeGreaterThan(0)
  for (const flag of Object.values(command.flags)) expect(flag.description).toMatch(/[^\s.]$/)
  const args = Object.values(command.args)
  expect(args.slice(0, -1).some(({ variadic }) => variadic)).toBe(false)
})

test('every name begins with that of its noun', async () => {
  const check = async (entry: Entry, parent: string) => {
    expect(entry.name).toMatch(new RegExp(`^${parent}[a-z][a-z-]*$`))
    if (entry.type === 'noun') for (const child of await entry.commands()) await check(child, `${entry.name} `)
  }
  for (const group of commands.groups) for (const entry of group.commands) await check(entry, '')
})

// Flags may stand before the command's name: whether the next word is their value must not depend on it.
test('a flag of the same name takes a value in all commands or in none', () => {
  const takes = new Map<string, string>()
  for (const { flags } of all)
    for (const [key, flag] of Object.entries({ ...flags, ...kernelFlags })) {
      const shape = `${flag.kind === 'boolean' ? 'boolean' : 'value'} ${flag.bare ?? ''}`
      for (const name of [flagName(key), flag.short ?? '', ...flag.aliases].filter(Boolean)) {
        expect({ name, shape: takes.get(name) ?? shape }).toEqual({ name, shape })
        takes.set(name, shape)
      }
    }
})

test('no two flags of a command have the same letter', () => {
  for (const { flags } of all) {
    const letters = Object.values({ ...flags, ...kernelFlags }).flatMap(({ short }) => short ?? [])
    expect(letters).toEqual([...new Set(letters)])
  }
})

test('the program alone prints its help', async () => {
  const { code, stdout } = await runCaptured(commands, [])
  expect(code).toBe(0)
  expect(stdout).toContain('Usage:\n  kubectl karmada-net COMMAND [options]\n')
})

test('options lists what every command takes', async () => {
  const { stdout } = await runCaptured(commands, ['options'])
  expect(stdout).toContain("    -n, --namespace='':\n")
  expect(stdout).toContain("    --context, --karmada-context='':\n")
})
