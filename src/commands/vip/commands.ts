import type { Entry } from '../../cli/command.ts'
import { vipDown } from './down.ts'
import { vipDrain, vipUndrain } from './drain.ts'
import { vipRender } from './render.ts'
import { vipStatus } from './status.ts'
import { vipUp } from './up.ts'
import { vipVerify } from './verify.ts'

export const commands: readonly Entry[] = [vipUp, vipStatus, vipVerify, vipDrain, vipUndrain, vipDown, vipRender]
