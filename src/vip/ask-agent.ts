import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { UserError } from '../errors.ts'
import { readState, stateFolder } from './node/state.ts'

/** `status [--state=FOLDER]`: what this node's agent says, as JSON. Throws `UserError` where it does not answer. */
export async function statusCommand(args: string[]): Promise<string> {
  const { values } = parseArgs({ args, options: { state: { type: 'string', default: stateFolder } } })
  const { settings } = readState(values.state).settings ?? {}
  if (!settings) throw new UserError(`this node has no virtual IP: ${values.state} holds no settings`)
  // It listens on the node's address, which is the source of the route.
  const [, host = '127.0.0.1'] = / src (\S+)/.exec(read(join(values.state, 'route'))) ?? []
  const report = await ask(host, settings.statusPort)
  return JSON.stringify(JSON.parse(report), undefined, 2)
}

function ask(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error) =>
      reject(new UserError(`the agent does not answer on ${host} port ${port}: ${cause.message}`, { cause }))
    const outgoing = get({ host, port, path: '/status', timeout: 5000 }, answer => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.once('end', () => resolve(Buffer.concat(chunks).toString()))
      answer.once('error', failed)
    })
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer in 5 s')))
    outgoing.once('error', failed)
  })
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
