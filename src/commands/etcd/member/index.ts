import { defineNoun } from '../../../cli/command.ts'
import { etcdMemberAdd } from './add.ts'
import { etcdMemberPromote } from './promote.ts'
import { etcdMemberRemove } from './remove.ts'
import { etcdMemberReplace } from './replace.ts'

export const etcdMember = defineNoun({
  name: 'etcd member',
  summary: 'Add, remove, replace and promote members',
  description: 'Changes of who is in the cluster, one member at a time, never below the quorum.',
  commands: [etcdMemberAdd, etcdMemberRemove, etcdMemberReplace, etcdMemberPromote],
})
