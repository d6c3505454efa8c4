import type { Entry } from '../../cli/command.ts'
import { etcdAlarms } from './alarms.ts'
import { etcdCerts } from './certs/index.ts'
import { etcdDefrag } from './defrag.ts'
import { etcdDown } from './down.ts'
import { etcdInventory } from './inventory.ts'
import { etcdKeys } from './keys.ts'
import { etcdMember } from './member/index.ts'
import { etcdRecover } from './recover.ts'
import { etcdScale } from './scale.ts'
import { etcdSnapshot } from './snapshot/index.ts'
import { etcdStatus } from './status.ts'
import { etcdUp } from './up.ts'
import { etcdUpgrade } from './upgrade.ts'
import { etcdVerify } from './verify.ts'

export const commands: readonly Entry[] = [
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
  etcdInventory,
  etcdDown,
]
