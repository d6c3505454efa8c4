import { defineNoun } from '../../cli/command.ts'

export const vip = defineNoun({
  name: 'vip',
  summary: 'Give every node its own way to all API servers',
  description: `A virtual IP of the API servers on each node, kept by the kernel (IPVS): kubelets, kube-proxies and pods reach whichever API
servers live, without a load balancer in front of them and without a proxy that could fail.`,
  commands: async () => (await import('./commands.ts')).commands,
})
