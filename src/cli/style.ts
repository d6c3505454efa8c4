import { styleText } from 'node:util'
import type { Io, Sink } from './io.ts'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'
export type Paint = (style: Style, text: string) => string

const plain: Paint = (_, text) => text
const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false })

/** Colours where the sink is a terminal that wants them: not with NO_COLOR, nor TERM=dumb. */
export function paintFor(sink: Sink, env: Io['env']): Paint {
  return sink.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb' ? coloured : plain
}

export const hideCursor = '\x1b[?25l'
export const showCursor = '\x1b[?25h'
