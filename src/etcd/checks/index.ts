import type { CheckGroup } from '../../checks/check.ts'
import { authorityFiles } from '../certificates.ts'
import { type ClusterView, lookAt } from '../view.ts'
import type { EtcdWorld } from '../world.ts'
import { clusterChecks } from './cluster.ts'
import { memberChecks } from './member.ts'
import { foreignIdentity } from './refusal.ts'
import type { VerifyWorld } from './world.ts'

/** All checks of a cluster, or those of the members named. */
export function verifyGroups(cluster: string, view: ClusterView, names: readonly string[]): CheckGroup<VerifyWorld>[] {
  if (names.length === 0) return [clusterChecks(cluster), ...view.members.map(memberChecks)]
  return view.members.filter(({ spec }) => names.includes(spec.name)).map(memberChecks)
}

/** Looks at the cluster once, for what the checks share. */
export async function openVerify(etcd: EtcdWorld): Promise<VerifyWorld> {
  const machines = new Map<string, ReturnType<VerifyWorld['machine']>>()
  const [view, authority = ''] = await Promise.all([lookAt(etcd), etcd.store.read(authorityFiles.certificate)])
  return {
    etcd,
    view,
    authority,
    foreign: foreignIdentity('admin'),
    machine(name) {
      const spec = etcd.state.spec.members.find(member => member.name === name)
      if (!spec) throw new Error(`no member ${name}`)
      const asked = machines.get(name) ?? etcd.driverOf(spec).inspect()
      machines.set(name, asked)
      return asked
    },
  }
}
