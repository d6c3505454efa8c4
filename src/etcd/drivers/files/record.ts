import { join } from 'node:path'
import type { FilesSpec, MemberSpec } from '../../cluster.ts'
import type { Launch } from '../driver.ts'
import { namesIn, readText } from './folder.ts'

/** What makes a folder ours, and what was last written into it. Holds no secret. */
export interface Record {
  managedBy: 'kubectl-karmada-net'
  cluster: string
  member: string
  run: FilesSpec['run']
  launch?: Launch | undefined
}

export const recordName = '.karmada-net.json'

export type Owned = { record: Record | undefined; foreign?: undefined } | { foreign: string; record?: undefined }

/** Whose a member's folder is: ours, nobody's yet, or `foreign`, in words. */
export async function readRecord(folder: string, cluster: string, member: MemberSpec): Promise<Owned> {
  const text = await readText(join(folder, recordName))
  if (text === undefined) {
    const there = await namesIn(folder)
    return there.length === 0
      ? { record: undefined }
      : { foreign: `${folder} holds ${there[0]}, which this plugin did not write` }
  }
  const record = parse(text)
  if (!record) return { foreign: `${join(folder, recordName)} is damaged` }
  if (record.cluster === cluster && record.member === member.name) return { record }
  return { foreign: `${folder} belongs to member ${record.member} of etcd ${record.cluster}` }
}

function parse(text: string): Record | undefined {
  try {
    const record = JSON.parse(text) as Partial<Record>
    return record.managedBy === 'kubectl-karmada-net' ? (record as Record) : undefined
  } catch {
    return undefined
  }
}
