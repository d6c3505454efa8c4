import { readFileSync, writeFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { parseArgs } from 'node:util'
import { UserError } from '../../errors.ts'
import { canonicalHost, isPort } from '../address.ts'
import { type OpenPassage, openPassage } from './passage.ts'
import type { Passage } from './report.ts'

const options = {
  vip: { type: 'string', default: '' },
  port: { type: 'string', default: '' },
  'server-name': { type: 'string', default: 'kubernetes' },
  ca: { type: 'string', default: '' },
  count: { type: 'string', default: '6' },
  out: { type: 'string' },
} as const

/**
 * `probe --vip=ADDRESS --port=PORT`: connections through the virtual IP from wherever this runs, a pod's network above all. Answers
 * them as JSON, and writes it to `--out`. Throws `UserError` for flags that cannot be used.
 */
export async function probeCommand(args: string[]): Promise<string> {
  const { values } = parseArgs({ args, options })
  const [host = '', port] = [canonicalHost(values.vip), Number(values.port)]
  if (host === '' || !isPort(port)) throw new UserError('probe needs --vip=ADDRESS and --port=PORT')
  const secureContext = values.ca === '' ? undefined : createSecureContext({ ca: readFileSync(values.ca, 'utf8') })
  const open: OpenPassage[] = []
  for (let left = Number(values.count); left > 0; left--) {
    const one = await openPassage({ host, port }, { vip: host, serverName: values['server-name'], secureContext })
    open.push(one)
    // The next would not fare better, and the pod has to say so in time.
    if (one.passage.error !== undefined && open.every(({ passage }) => passage.error !== undefined) && open.length > 1)
      break
  }
  for (const { close } of open) close()
  const text = JSON.stringify(open.map(({ passage }): Passage => passage))
  if (values.out !== undefined) writeFileSync(values.out, text)
  return text
}
