import { defineNoun } from '../../cli/command.ts'

export const anp = defineNoun({
  name: 'anp',
  summary: 'Reach pull-mode members that Karmada cannot dial',
  description: 'Tunnels through which Karmada reaches the API servers of pull-mode members behind NAT or a firewall.',
  commands: async () => (await import('./commands.ts')).commands,
})
