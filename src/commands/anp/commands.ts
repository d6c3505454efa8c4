import type { Entry } from '../../cli/command.ts'
import { anpDown } from './down.ts'
import { anpStatus } from './status.ts'
import { anpUp } from './up.ts'
import { anpVerify } from './verify.ts'

export const commands: readonly Entry[] = [anpUp, anpStatus, anpVerify, anpDown]
