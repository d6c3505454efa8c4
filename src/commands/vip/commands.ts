import type { Entry } from '../../cli/command.ts'
import { vipDown } from './down.ts'
import { vipStatus } from './status.ts'
import { vipUp } from './up.ts'

export const commands: readonly Entry[] = [vipUp, vipStatus, vipDown]
