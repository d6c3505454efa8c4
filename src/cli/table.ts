export interface Column<Row> {
  /** Upper case, as kubectl's. */
  header: string
  /** Undefined is shown as `-`. */
  value(row: Row): string | number | undefined
  /** Only with -o wide. */
  wide?: boolean
}

/** kubectl's table: columns as wide as their widest cell, three spaces between, nothing behind the last. No newline at the end. */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: { wide?: boolean } = {},
): string {
  const shown = columns.filter(column => options.wide || !column.wide)
  const cells = [shown.map(column => column.header), ...rows.map(row => shown.map(column => cell(column.value(row))))]
  const widths = shown.map((_, i) => Math.max(...cells.map(line => width(line[i] ?? ''))))
  return cells
    .map(line =>
      line
        .map((text, i) => pad(text, widths[i] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n')
}

const cell = (value: string | number | undefined) => (value === undefined ? '-' : String(value).replaceAll('\n', ' '))

/** Characters, not UTF-16 units; everything we print is one column wide. */
export const width = (text: string): number => [...text].length

export const pad = (text: string, to: number): string => text + ' '.repeat(Math.max(0, to - width(text)))
