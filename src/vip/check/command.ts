import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { UserError } from '../../errors.ts'
import { canonicalHost, isPort } from '../address.ts'
import { look } from './look.ts'

const options = {
  root: { type: 'string', default: '' },
  vip: { type: 'string', default: '' },
  port: { type: 'string', default: '' },
  'status-port': { type: 'string', default: '0' },
  out: { type: 'string' },
} as const

/**
 * `check --root=/host --vip=ADDRESS --port=PORT`: what the node is like that is to have the virtual IP, as one line of JSON, which it
 * also writes to `--out`. Throws `UserError` for flags that cannot be used.
 */
export async function checkCommand(args: string[]): Promise<string> {
  const { values } = parseArgs({ args, options })
  const [host = '', port] = [canonicalHost(values.vip), Number(values.port)]
  if (host === '' || !isPort(port)) throw new UserError('check needs --vip=ADDRESS and --port=PORT')
  const found = await look({ root: values.root, vip: { host, port }, statusPort: Number(values['status-port']) })
  const text = JSON.stringify(found)
  if (values.out !== undefined) writeFileSync(values.out, text)
  return text
}
