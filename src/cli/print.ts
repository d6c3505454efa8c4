import type { Output } from './flags.ts'
import type { Session } from './session.ts'
import { type Column, formatTable } from './table.ts'

/** What a command shows: rows for people, data for programs. */
export interface View<Row> {
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  /** For -o json and yaml; default: `{ items: rows }`. */
  data?: (() => unknown) | undefined
  /** For -o name: `kind.group/name`. */
  name?: ((row: Row) => string) | undefined
  /** Said on stderr where there are no rows. */
  empty?: string | undefined
}

/** Prints a view as `-o` wants it; without it as a table. */
export async function print<Row>(session: Session, view: View<Row>, output?: Output | undefined): Promise<void> {
  const { columns, rows, name } = view
  if (output === 'json' || output === 'yaml')
    return printData(session, view.data ? view.data() : { items: rows }, output)
  if (rows.length === 0) return session.say(view.empty ?? 'No resources found')
  if (output === 'name') {
    const nameOf = name ?? (row => String(columns[0]?.value(row) ?? ''))
    return session.out(rows.map(nameOf).join('\n'))
  }
  session.out(formatTable(columns, rows, { wide: output === 'wide' }))
}

/** One value as JSON or YAML on stdout. */
export async function printData(session: Session, data: unknown, output: 'json' | 'yaml'): Promise<void> {
  session.io.stdout.write(output === 'json' ? `${JSON.stringify(data, undefined, 4)}\n` : await toYaml(data))
}

/** YAML as kubectl writes it: lists not indented, no folding, no anchors. Ends in a newline. */
export async function toYaml(data: unknown): Promise<string> {
  const { dump } = await import('js-yaml')
  return dump(data, { seqNoIndent: true, lineWidth: -1, noRefs: true })
}
