import { type Flag, type Flags, flagName } from './flag.ts'

/** One piece of the command line, as pflag (kubectl's parser) would take it. */
export type Token =
  | { type: 'word'; text: string; index: number }
  | { type: 'flag'; name: string; value: string; index: number }
  /** A flag that needs a value and is the last word. */
  | { type: 'unfinished'; name: string; spelled: string; index: number }
  | { type: 'unknown'; spelled: string; text: string; index: number }
  /** A boolean with a value that is none. */
  | { type: 'badBoolean'; name: string; value: string; index: number }

interface Known {
  name: string
  flag: Flag<unknown>
}

/** Go's spellings of booleans. */
const truth = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map(word => [word, 'true'] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map(word => [word, 'false'] as const),
])

/**
 * Takes a command line apart by kubectl's rules: `-nNS`, `-n=NS`, `-n NS`, `-qv6`, `--flag VALUE`, `--flag=VALUE`, `--no-flag`,
 * flags anywhere, `--` ends them. A flag with a bare value (`--dry-run`) never takes the next word. Throws nothing: the caller
 * decides what an unknown flag means (the completion, for one, goes on).
 */
export function tokens(argv: readonly string[], flags: Flags): Token[] {
  const known = index(flags)
  const result: Token[] = []
  for (let i = 0; i < argv.length; i++) {
    const text = argv[i] ?? ''
    if (text === '--') {
      for (let rest = i + 1; rest < argv.length; rest++)
        result.push({ type: 'word', text: argv[rest] ?? '', index: rest })
      break
    }
    if (text === '-' || !text.startsWith('-')) {
      result.push({ type: 'word', text, index: i })
      continue
    }
    const next = argv[i + 1]
    const { found, took } = text.startsWith('--') ? long(text, next, i, known) : short(text, next, i, known)
    result.push(...found)
    if (took) i++
  }
  return result
}

interface Taken {
  found: Token[]
  /** The value was the next word. */
  took: boolean
}

function long(text: string, next: string | undefined, index: number, known: Map<string, Known>): Taken {
  const at = text.indexOf('=')
  const spelled = at < 0 ? text : text.slice(0, at)
  const value = at < 0 ? undefined : text.slice(at + 1)
  const entry = known.get(spelled)
  if (entry) return one(entry, spelled, value, next, index)
  const positive = spelled.startsWith('--no-') ? known.get(`--${spelled.slice(5)}`) : undefined
  if (positive?.flag.kind === 'boolean' && value === undefined)
    return { found: [{ type: 'flag', name: positive.name, value: 'false', index }], took: false }
  return { found: [{ type: 'unknown', spelled, text, index }], took: false }
}

/** One letter after the other, until one takes the rest as its value. */
function short(text: string, next: string | undefined, index: number, known: Map<string, Known>): Taken {
  const found: Token[] = []
  for (let i = 1; i < text.length; i++) {
    const spelled = `-${text[i]}`
    const entry = known.get(spelled)
    if (!entry) return { found: [...found, { type: 'unknown', spelled, text, index }], took: false }
    const rest = text.slice(i + 1)
    const flagsFollow = entry.flag.kind === 'boolean' && !rest.startsWith('=')
    if (rest !== '' && flagsFollow) found.push({ type: 'flag', name: entry.name, value: 'true', index })
    else {
      const value = rest === '' ? undefined : rest.replace(/^=/, '')
      const last = one(entry, spelled, value, next, index)
      return { found: [...found, ...last.found], took: last.took }
    }
  }
  return { found, took: false }
}

function one(entry: Known, spelled: string, value: string | undefined, next: string | undefined, index: number): Taken {
  const { name, flag } = entry
  const bare = flag.kind === 'boolean' ? 'true' : flag.bare
  if (value === undefined && bare === undefined) {
    if (next === undefined) return { found: [{ type: 'unfinished', name, spelled, index }], took: false }
    return { found: [{ type: 'flag', name, value: next, index }], took: true }
  }
  const given = value ?? bare ?? ''
  if (flag.kind !== 'boolean') return { found: [{ type: 'flag', name, value: given, index }], took: false }
  const boolean = truth.get(given)
  if (boolean === undefined) return { found: [{ type: 'badBoolean', name, value: given, index }], took: false }
  return { found: [{ type: 'flag', name, value: boolean, index }], took: false }
}

/** Every spelling of every flag. */
function index(flags: Flags): Map<string, Known> {
  const known = new Map<string, Known>()
  for (const [key, flag] of Object.entries(flags)) {
    const entry = { name: flagName(key), flag }
    if (flag.short) known.set(`-${flag.short}`, entry)
    for (const name of [entry.name, ...flag.aliases]) known.set(`--${name}`, entry)
  }
  return known
}
