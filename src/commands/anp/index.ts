import { defineNoun } from '../../cli/command.ts'
import { anpDown } from './down.ts'
import { anpStatus } from './status.ts'
import { anpUp } from './up.ts'
import { anpVerify } from './verify.ts'

export const anp = defineNoun({
  name: 'anp',
  summary: 'Reach pull-mode members that Karmada cannot dial',
  description: 'Tunnels through which Karmada reaches the API servers of pull-mode members behind NAT or a firewall.',
  commands: [anpUp, anpStatus, anpVerify, anpDown],
})
