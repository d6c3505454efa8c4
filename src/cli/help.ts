import type { Command, CommandTable, Entry, Noun } from './command.ts'
import { type Flag, type Flags, flagName } from './flag.ts'
import { kernelFlags, planeFlags } from './flags.ts'
import { program } from './io.ts'
import { usageOf } from './parse.ts'
import { wordOf } from './route.ts'

/** Help of what the words name, laid out as kubectl's. Ends in a newline. */
export async function help(table: CommandTable, entry: Entry | undefined): Promise<string> {
  if (entry === undefined) return rootHelp(table)
  return entry.type === 'noun' ? nounHelp(entry) : commandHelp(entry)
}

const optionsPointer = `Use "${program} options" for a list of global command-line options (applies to all commands).`

function rootHelp(table: CommandTable): string {
  const groups = table.groups.map(group => `${group.title}:\n${list(group.commands)}`)
  return join([
    table.description,
    ...groups,
    `Usage:\n  ${program} COMMAND [options]`,
    `Use "${program} COMMAND --help" for more information about a given command.\n${optionsPointer}`,
  ])
}

async function nounHelp(noun: Noun): Promise<string> {
  return join([
    noun.description ?? `${noun.summary}.`,
    `Available Commands:\n${list(await noun.commands())}`,
    `Usage:\n  ${program} ${noun.name} COMMAND [options]`,
    `Use "${program} ${noun.name} COMMAND --help" for more information about a given command.\n${optionsPointer}`,
  ])
}

function commandHelp(command: Command): string {
  const examples = command.examples.map(([title, words]) => `  # ${title}\n  ${program} ${words}`)
  const own = Object.fromEntries(Object.entries(command.flags).filter(([, flag]) => !flag.global))
  return join([
    command.description ?? `${command.summary}.`,
    examples.length > 0 && `Examples:\n${examples.join('\n\n')}`,
    Object.keys(own).length > 0 && `Options:\n${flagList(own)}`,
    `Usage:\n  ${program} ${usageOf(command)} [options]`,
    optionsPointer,
  ])
}

/** `kubectl karmada-net options`. */
export function optionsHelp(): string {
  return join([
    'The following options can be passed to any command that talks to a cluster:',
    flagList({ ...planeFlags, ...kernelFlags }),
    `They stand behind the plugin's name: kubectl allows no flags before it.`,
  ])
}

/** kubectl's two lines per flag, by name. */
function flagList(flags: Flags): string {
  return Object.entries(flags)
    .map(([key, flag]) => [flagName(key), flag] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => `${spellings(name, flag)}=${flag.defaultText}:\n        ${flag.description}`)
    .join('\n\n')
}

function spellings(name: string, flag: Flag<unknown>): string {
  const long = [name, ...flag.aliases].filter(each => each.length > 1).map(each => `--${each}`)
  return `    ${[...(flag.short ? [`-${flag.short}`] : []), ...long].join(', ')}`
}

function list(entries: readonly Entry[]): string {
  const shown = entries.filter(entry => entry.type === 'noun' || !entry.hidden)
  const widest = Math.max(...shown.map(entry => wordOf(entry).length), 12)
  return shown.map(entry => `  ${wordOf(entry).padEnd(widest)}  ${entry.summary}`).join('\n')
}

const join = (parts: (string | false)[]) => `${parts.filter(part => part !== false).join('\n\n')}\n`
