import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'

/** Where `-v` lines go, and which are wanted: 6 one line per request, 8 headers as well. */
export interface RequestLog {
  verbosity: number
  write(line: string): void
}

const wants = (log: RequestLog | undefined, level: number): log is RequestLog =>
  log !== undefined && log.verbosity >= level

const secretHeaders = /^(authorization|proxy-authorization|cookie|set-cookie|x-.*token.*)$/i

/** When a request began. `performance` alone is loaded when first used (1 ms): where nothing is logged, 0. */
export const logStart = (log: RequestLog | undefined): number => (wants(log, 6) ? performance.now() : 0)

/** `GET https://... 200 OK in 12 milliseconds`; without a status where there was no answer. */
export function logRequest(
  log: RequestLog | undefined,
  request: { method: string; url: string; startedMs: number },
  status: string | undefined,
): void {
  if (!wants(log, 6)) return
  const took = Math.round(performance.now() - request.startedMs)
  log.write(`${request.method} ${request.url}${status ? ` ${status}` : ''} in ${took} milliseconds`)
}

/** One line per header under a title, secrets masked. */
export function logHeaders(
  log: RequestLog | undefined,
  title: string,
  headers: OutgoingHttpHeaders | IncomingHttpHeaders,
): void {
  if (!wants(log, 8)) return
  log.write(`${title}:`)
  for (const [name, value] of Object.entries(headers)) {
    for (const item of [value].flat()) log.write(`    ${name}: ${maskHeader(name, String(item))}`)
  }
}

/** Keeps the kind of login (`Bearer`, `Basic`) and nothing else of it. */
export function maskHeader(name: string, value: string): string {
  if (!secretHeaders.test(name)) return value
  const scheme = /^(Bearer|Basic) /i.exec(value)?.[1]
  return scheme ? `${scheme} <masked>` : '<masked>'
}
