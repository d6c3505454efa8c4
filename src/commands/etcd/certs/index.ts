import { defineNoun } from '../../../cli/command.ts'
import { etcdCertsExport } from './export.ts'
import { etcdCertsRotate } from './rotate.ts'
import { etcdCertsStatus } from './status.ts'

export const etcdCerts = defineNoun({
  name: 'etcd certs',
  summary: "See, renew and hand out the cluster's certificates",
  description: `Every member has a server and a peer certificate of its own, every consumer a client certificate, all signed by one
authority that belongs to this etcd alone.`,
  commands: [etcdCertsStatus, etcdCertsRotate, etcdCertsExport],
})
