import type { SnapshotFacts } from '../../../etcd/snapshot/inspect.ts'

/** A snapshot for programs. */
export const snapshotData = ({ revision, takenAt, why, ...facts }: SnapshotFacts): object => ({
  ...facts,
  takenAt: takenAt.toISOString(),
  ...(revision !== undefined && { revision: String(revision) }),
  ...(why !== '' && { why }),
})
