import { defineNoun } from '../../../cli/command.ts'
import { etcdSnapshotList } from './list.ts'
import { etcdSnapshotRestore } from './restore.ts'
import { etcdSnapshotSave } from './save.ts'
import { etcdSnapshotStatus } from './status.ts'

export const etcdSnapshot = defineNoun({
  name: 'etcd snapshot',
  summary: 'Save, check and restore the database',
  description: 'Copies of the whole database in one file each, checked to the last byte.',
  commands: [etcdSnapshotSave, etcdSnapshotStatus, etcdSnapshotRestore, etcdSnapshotList],
})
