import schema from '../../../manifests/etcd/cluster.schema.json' with { type: 'json' }
import { UserError } from '../../errors.ts'
import { suggest } from '../../suggest.ts'
import type { MemberSpec } from '../cluster.ts'
import { type MemberEntry, memberOf } from './members.ts'
import { problemsOf, type Schema } from './schema.ts'

const form = 'NAME=ADDRESS,docker[=HOST] or NAME=ADDRESS,context=CONTEXT[,node=NODE] or NAME=ADDRESS,files=FOLDER'

/** The words after the address, by the driver that they speak of. */
const words = {
  docker: ['docker', 'docker-context'],
  kubernetes: ['context', 'node', 'namespace', 'host-path', 'storage-class', 'size'],
  files: ['files', 'run'],
  every: ['site', 'listen'],
}
const known = Object.values(words).flat()

const { $defs } = schema as Schema & Required<Pick<Schema, '$defs'>>
const memberSchema: Schema = { $ref: '#/$defs/member', $defs }

/** A member as `--member` names it. Throws UserError that says what is wrong with it. */
export function memberFromFlag(text: string): MemberSpec {
  const [head = '', ...options] = text.split(',')
  const [name, address] = pair(head)
  const wrong = (why: string, hint = `a member is ${form}`) => new UserError(`--member ${text}: ${why}`, { hint })
  if (!/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name)) {
    throw wrong(`"${name}" is no name: lower-case letters, digits and inner dashes, at most 40`)
  }
  if (!address) throw wrong('there is no address')
  const given = new Map<string, string>()
  for (const [word, value] of options.map(pair)) {
    if (!known.includes(word)) {
      const meant = suggest(word, known)
      throw wrong(`"${word}" is not known`, meant ? `did you mean ${meant}?` : undefined)
    }
    if (given.has(word)) throw wrong(`${word} is there twice`)
    if (value === undefined && word !== 'docker') throw wrong(`${word} has no value`)
    given.set(word, value ?? '')
  }
  const why = misfit(given)
  if (why) throw wrong(why)
  const entry = entryFrom(name, address, given)
  const [problem] = problemsOf(memberSchema, entry)
  if (problem !== undefined) throw wrong(problem)
  return memberOf(entry, process.cwd())
}

/** Split at the first `=`; undefined: there was none, or nothing after it. */
function pair(text: string): [string, string | undefined] {
  const at = text.indexOf('=')
  return at < 0 ? [text.trim(), undefined] : [text.slice(0, at).trim(), text.slice(at + 1).trim() || undefined]
}

/** Words that do not go together; undefined: all is well. */
function misfit(given: Map<string, string>): string | undefined {
  const drivers = (['docker', 'kubernetes', 'files'] as const).filter(kind => words[kind].some(word => given.has(word)))
  const [driver] = drivers
  if (driver === undefined) return 'it does not say how the member runs'
  if (drivers.length > 1) {
    const used = drivers.map(kind => words[kind].find(word => given.has(word)))
    return `${used.join(' and ')} do not go together`
  }
  if (driver === 'kubernetes' && !given.has('context')) return 'there is no context=CONTEXT'
  if (driver === 'files' && !given.has('files')) return 'there is no files=FOLDER'
  if (given.has('host-path') && given.has('storage-class')) return 'host-path and storage-class do not go together'
  if (given.has('size') && !given.has('storage-class')) return 'size is of a storage-class, which is not given'
  if (given.get('docker') && given.has('docker-context')) return 'docker=HOST and docker-context do not go together'
  return undefined
}

function entryFrom(name: string, address: string, given: Map<string, string>): MemberEntry {
  const common = { name, address, site: given.get('site'), listen: given.get('listen') }
  const context = given.get('context')
  if (context !== undefined) {
    const storage = {
      hostPath: given.get('host-path'),
      storageClass: given.get('storage-class'),
      size: given.get('size'),
    }
    const some = Object.values(storage).some(value => value !== undefined)
    const kubernetes = { context, namespace: given.get('namespace'), node: given.get('node') }
    return { ...common, kubernetes: some ? { ...kubernetes, storage } : kubernetes }
  }
  const directory = given.get('files')
  if (directory !== undefined) {
    return { ...common, files: { directory, run: given.get('run') as 'systemd' | 'static-pod' | undefined } }
  }
  const host = given.get('docker')
  const engine = given.get('docker-context')
  return { ...common, docker: { ...(host && { host }), ...(engine && { context: engine }) } }
}
