import { dirname, resolve } from 'node:path'
import { dump, loadAll } from 'js-yaml'
import schema from '../../../manifests/etcd/cluster.schema.json' with { type: 'json' }
import { UserError } from '../../errors.ts'
import type { KeyType } from '../../pki/certificate.ts'
import type { Backup, ClusterSpec, Ports } from '../cluster.ts'
import { entryOf, type MemberEntry, memberOf } from './members.ts'
import { problemsOf, type Schema } from './schema.ts'
import { bytesOf, sizeOf } from './sizes.ts'
import { refuse, specFrom } from './spec.ts'

interface Document {
  metadata: { name: string }
  spec: {
    version?: string
    image?: string
    imageRegistry?: string
    keyType?: KeyType
    ports?: Partial<Ports>
    tuning?: Partial<Tuning>
    consumers?: string[]
    backup?: Pick<Backup, 'schedule'> & Partial<Backup>
    members: MemberEntry[]
  }
}

interface Tuning {
  quota: string | number
  heartbeatMs: number
  electionMs: number
  snapshotCount: number
  extraArgs: string[]
}

/**
 * The cluster that an inventory describes. `source` is its file, or `-`: named in errors, and relative paths in it are relative to its
 * folder. Throws UserError with one line per problem.
 */
export function parseInventory(text: string, source: string): ClusterSpec {
  const named = source === '-' ? 'standard input' : source
  const document = onlyDocument(text, named)
  refuse(named, problemsOf(schema as Schema, document))
  const { metadata, spec } = document as Document
  const { tuning: { quota, ...tuning } = {}, members, ...rest } = spec
  const folder = source === '-' ? process.cwd() : dirname(resolve(source))
  return specFrom(
    {
      ...rest,
      name: metadata.name,
      tuning: { ...tuning, ...(quota !== undefined && { quotaBytes: bytesOf(quota) }) },
      members: members.map(entry => memberOf(entry, folder)),
    },
    named,
  )
}

function onlyDocument(text: string, source: string): unknown {
  const documents = allDocuments(text, source)
  if (documents.length === 1) return documents[0]
  throw new UserError(
    documents.length === 0
      ? `${source} is empty`
      : `${source} has ${documents.length} documents; one cluster is expected`,
  )
}

function allDocuments(text: string, source: string): unknown[] {
  try {
    return loadAll(text).filter(document => document !== null && document !== undefined)
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw new UserError(`${source} is not YAML: ${why}`, { cause: error })
  }
}

/** The inventory that says all of a spec, so that it can be kept, changed and given to `etcd up -f`. */
export function toInventory(spec: ClusterSpec): string {
  const { name, tuning, members, backup, ...rest } = spec
  const { quotaBytes, ...pace } = tuning
  const document = {
    apiVersion: schema.properties.apiVersion.const,
    kind: schema.properties.kind.const,
    metadata: { name },
    spec: {
      ...rest,
      tuning: { quota: sizeOf(quotaBytes), ...pace },
      ...(backup && { backup }),
      members: members.map(entryOf),
    },
  }
  return dump(document, { noRefs: true, lineWidth: -1 })
}
