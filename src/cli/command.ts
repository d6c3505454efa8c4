import type { Args, ArgValues } from './arg.ts'
import type { Flags, FlagValues } from './flag.ts'
import type { Session } from './session.ts'

/** `[what it does, the words after "kubectl karmada-net"]`. */
export type Example = readonly [title: string, words: string]

interface About {
  /** The words that call it: `anp up`. */
  name: string
  /** One line, no full stop. */
  summary: string
  /** Paragraphs for its own help; default: the summary. */
  description?: string | undefined
}

export interface CommandSpec<A extends Args, F extends Flags> extends About {
  examples: readonly Example[]
  args?: A | undefined
  flags?: F | undefined
  /** Not in help and completion. */
  hidden?: boolean | undefined
  /** Throws to fail (exit 1); a number is the exit code. Import what is heavy inside (`await import`): start-up is felt. */
  run(input: ArgValues<A> & { flags: FlagValues<F>; session: Session }): Promise<number | undefined> | Promise<void>
}

/** A command whose types of arguments and flags are forgotten: what the kernel works with. */
export interface Command extends About {
  type: 'command'
  examples: readonly Example[]
  args: Args
  flags: Flags
  hidden: boolean
  run(input: { flags: Record<string, unknown>; session: Session }): Promise<number | undefined> | Promise<void>
}

/**
 * A command is a value. Arguments and flags carry their types into `run`:
 *
 *     export const anpUp = defineCommand({
 *       name: 'anp up',
 *       summary: 'Connect pull-mode members to the control plane',
 *       examples: [['Connect every pull-mode member', 'anp up --all']],
 *       args: { members: arg.many('MEMBER', { complete: memberNames }) },
 *       flags: {
 *         ...planeFlags,                                        // kubeconfig, context, namespace, ...
 *         ...mutatingFlags,                                     // dryRun, wait, timeout, yes, force
 *         all: flag.boolean('Every pull-mode member'),
 *         replicas: flag.count('Replicas of each part', { default: 2, min: 1 }),
 *       },
 *       async run({ members, flags, session }) {                // members: string[], flags.replicas: number
 *         const { connectGroups } = await import('../../anp/plan.ts')
 *         ...
 *         await perform(session, groups, world, { dryRun: flags.dryRun })
 *       },
 *     })
 *
 * A key in camel case is the flag in kebab case: `dryRun` is `--dry-run`.
 */
export function defineCommand<A extends Args = Record<never, never>, F extends Flags = Record<never, never>>(
  spec: CommandSpec<A, F>,
): Command {
  const { args = {}, flags = {}, hidden = false, run } = spec
  // The one place where the types are forgotten: `read` of each argument and flag made exactly what `run` asks for.
  return { ...spec, type: 'command', args, flags, hidden, run: run as Command['run'] }
}

/** A word that other commands stand under (`anp`); called alone it prints their list. */
export interface Noun extends About {
  type: 'noun'
  commands(): Promise<readonly Entry[]>
}

/** What a word of a command line may name. */
export type Entry = Command | Noun

/** `commands` as a function imports them, which is done when one of them is called or they are listed: no other start pays for it. */
export function defineNoun({ commands, ...about }: About & { commands: readonly Entry[] | Noun['commands'] }): Noun {
  return { ...about, type: 'noun', commands: typeof commands === 'function' ? commands : async () => commands }
}

/** All commands, in the groups that help shows. */
export interface CommandTable {
  description: string
  groups: readonly { title: string; commands: readonly Entry[] }[]
}

/** What stands right below a noun, or below the program itself. */
export const childrenOf = async (table: CommandTable, parent: Noun | undefined): Promise<readonly Entry[]> =>
  parent ? parent.commands() : table.groups.flatMap(group => group.commands)

/** Every command below a noun, or of the whole table, depth first. */
export async function allCommands(table: CommandTable, parent?: Noun): Promise<Command[]> {
  const children = await childrenOf(table, parent)
  const found = await Promise.all(
    children.map(child => (child.type === 'command' ? [child] : allCommands(table, child))),
  )
  return found.flat()
}
