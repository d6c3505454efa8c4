import { defineNoun } from '../../cli/command.ts'
import { etcdAlarms } from './alarms.ts'
import { etcdCerts } from './certs/index.ts'
import { etcdDefrag } from './defrag.ts'
import { etcdDown } from './down.ts'
import { etcdKeys } from './keys.ts'
import { etcdMember } from './member/index.ts'
import { etcdRecover } from './recover.ts'
import { etcdScale } from './scale.ts'
import { etcdSnapshot } from './snapshot/index.ts'
import { etcdStatus } from './status.ts'
import { etcdUp } from './up.ts'
import { etcdUpgrade } from './upgrade.ts'
import { etcdVerify } from './verify.ts'

export const etcd = defineNoun({
  name: 'etcd',
  summary: 'Run a highly available etcd outside of any control plane',
  description: `A TLS etcd cluster for Karmada that spans machines, sites or clusters: made, grown, repaired, backed up, restored and
upgraded while it serves. Members run in Kubernetes, in Docker engines, or from files on hand-built machines.`,
  commands: [
    etcdUp,
    etcdStatus,
    etcdVerify,
    etcdMember,
    etcdScale,
    etcdCerts,
    etcdUpgrade,
    etcdSnapshot,
    etcdDefrag,
    etcdAlarms,
    etcdRecover,
    etcdKeys,
    etcdDown,
  ],
})
