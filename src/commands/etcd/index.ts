import { defineNoun } from '../../cli/command.ts'

export const etcd = defineNoun({
  name: 'etcd',
  summary: 'Run a highly available etcd outside of any control plane',
  description: `A TLS etcd cluster for Karmada that spans machines, sites or clusters: made, grown, repaired, backed up, restored and
upgraded while it serves. Members run in Kubernetes, in Docker engines, or from files on hand-built machines.`,
  commands: async () => (await import('./commands.ts')).commands,
})
