import { randomBytes } from 'node:crypto'
import { UserError } from '../errors.ts'
import type { ClusterSpec, ClusterState } from './cluster.ts'
import type { Store } from './store/store.ts'

export const stateFile = 'cluster.json'

/** Undefined: `etcd up` has not begun with it. Throws UserError for a file that cannot be read. */
export async function readState(store: Store): Promise<ClusterState | undefined> {
  const text = await store.read(stateFile)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as ClusterState
  } catch (error) {
    throw new UserError(`${stateFile} in ${store.where} is damaged`, { cause: error })
  }
}

/** A state for a cluster that begins. Its token keeps it apart from any other that ever ran at these addresses. */
export const newState = (spec: ClusterSpec): ClusterState => ({
  spec,
  token: `${spec.name}-${randomBytes(6).toString('hex')}`,
  formed: false,
  members: Object.fromEntries(spec.members.map(({ name }) => [name, { generation: 1, version: spec.version }])),
})
