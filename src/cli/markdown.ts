import { allCommands, type Command, type CommandTable } from './command.ts'
import { type Flag, type Flags, flagName } from './flag.ts'
import { kernelFlags, planeFlags } from './flags.ts'
import { program } from './io.ts'
import { usageOf } from './parse.ts'

/** The reference page of all commands, in Markdown. Pure: the same table, the same page. */
export async function commandsMarkdown(table: CommandTable): Promise<string> {
  const visible = (await allCommands(table)).filter(command => !command.hidden)
  const contents = visible.map(({ name, summary }) => `* [${name}](#${anchor(name)}): ${summary}`)
  return [
    '# Commands',
    table.description,
    contents.join('\n'),
    ...visible.map(commandSection),
    '## Options of all commands',
    "They stand behind the plugin's name: kubectl allows no flags before it.",
    flagTable({ ...planeFlags, ...kernelFlags }),
    '',
  ].join('\n\n')
}

function commandSection(command: Command): string {
  const own = Object.fromEntries(Object.entries(command.flags).filter(([, flag]) => !flag.global))
  const examples = command.examples.map(([title, words]) => `# ${title}\n${program} ${words}`)
  return [
    `## ${command.name}`,
    command.description ?? `${command.summary}.`,
    fenced(`${program} ${usageOf(command)} [options]`),
    ...(examples.length > 0 ? [fenced(examples.join('\n\n'))] : []),
    ...(Object.keys(own).length > 0 ? [flagTable(own)] : []),
  ].join('\n\n')
}

function flagTable(flags: Flags): string {
  const rows = Object.entries(flags)
    .map(([key, flag]) => row(flagName(key), flag))
    .sort()
  return ['| Option | Default | |', '|---|---|---|', ...rows].join('\n')
}

function row(name: string, flag: Flag<unknown>): string {
  const long = [name, ...flag.aliases].filter(each => each.length > 1).map(each => `\`--${each}\``)
  const spellings = [...long, ...(flag.short ? [`\`-${flag.short}\``] : [])]
  return `| ${spellings.join(', ')} | \`${flag.defaultText}\` | ${flag.description.replaceAll('|', '\\|')} |`
}

const fenced = (text: string) => `\`\`\`sh\n${text}\n\`\`\``

const anchor = (name: string) => name.replaceAll(' ', '-')
