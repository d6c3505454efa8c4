import type { Cluster } from '../karmada/cluster.ts'
import { serves } from './evidence.ts'
import { rowsOf } from './rows.ts'
import type { Fleet, FleetHost, FleetMember, FleetPlane, Probe } from './types.ts'

/** Says who is who from what the contexts answered. Pure. */
export function classify(probes: Probe[]): Fleet {
  const planes = named(
    groupByStore(probes.filter(probe => probe.plane !== undefined)).map(group => plane(group, probes)),
  )
  return { probes, planes, rows: rowsOf(probes, planes) }
}

/** Contexts of one store are one plane: two users, two addresses, two sites that share an etcd. */
function groupByStore(probes: Probe[]): Probe[][] {
  const groups = Map.groupBy(probes, probe => probe.uid ?? `${probe.server} ${probe.context}`)
  return [...groups.values()]
}

function plane(own: Probe[], probes: Probe[]): FleetPlane {
  const facts = richest(own)
  const members = (facts.clusters ?? []).map(cluster => member(cluster, probes))
  return {
    name: facts.hub?.service.replace(/-aggregated-apiserver$/, '') ?? '',
    contexts: own.map(({ context }) => context),
    facts,
    kubernetesVersion: own.find(({ kubernetesVersion }) => kubernetesVersion !== undefined)?.kubernetesVersion,
    hosts: hostsOf(own, facts, probes),
    members: members.sort((a, b) => naturally(a.name, b.name)),
  }
}

/** Of several users' views on a plane the one that shows most: not each may list clusters or leases. */
function richest(own: Probe[]): NonNullable<Probe['plane']> {
  const views = own.flatMap(({ plane }) => plane ?? [])
  return {
    clusters: views.find(({ clusters }) => clusters !== undefined)?.clusters,
    hub: views.find(({ hub }) => hub !== undefined)?.hub,
    apiServers: [...new Set(views.flatMap(({ apiServers }) => apiServers))],
    fingerprints: [...new Set(views.flatMap(({ fingerprints }) => fingerprints))],
  }
}

function hostsOf(own: Probe[], facts: FleetPlane['facts'], probes: Probe[]): FleetHost[] {
  const claim = { servers: own.map(({ server }) => server), facts }
  const hosts = new Map<string, FleetHost>()
  for (const probe of probes) {
    for (const installation of probe.installations) {
      const evidence = serves(installation, claim)
      if (evidence === 'no' || evidence === 'unknown') continue
      const key = `${probe.uid ?? probe.context}/${installation.namespace}/${installation.prefix}`
      const known = hosts.get(key)
      if (known === undefined) hosts.set(key, { contexts: [probe.context], installation, evidence })
      else known.contexts.push(probe.context)
    }
  }
  return proven([...hosts.values()])
}

/** Where a pod proves one host, an address or certificate that another shares with it means nothing. */
function proven(hosts: FleetHost[]): FleetHost[] {
  const byPod = hosts.filter(({ evidence }) => evidence === 'pod')
  return byPod.length > 0 ? byPod : hosts
}

function member(cluster: Cluster, probes: Probe[]): FleetMember {
  const { id, syncMode } = cluster.spec
  const own = id === undefined ? [] : probes.filter(({ uid }) => uid === id)
  return { name: cluster.metadata.name, mode: syncMode, cluster, contexts: own.map(({ context }) => context) }
}

/** `karmada` from its own Service's name, else its host's; planes of the same name go by their context. */
function named(planes: FleetPlane[]): FleetPlane[] {
  const names = planes.map(({ name, hosts }) => name || hosts[0]?.installation.prefix || '')
  const isUnique = (name: string) => name !== '' && names.filter(other => other === name).length === 1
  return planes.map((plane, i) => {
    const name = names[i] ?? ''
    return { ...plane, name: isUnique(name) ? name : (plane.contexts[0] ?? name) }
  })
}

/** `member2` before `member10`. Intl would do it too, but takes 10 ms to load. */
function naturally(a: string, b: string): number {
  const [left, right] = [a, b].map(name => name.replace(/\d+/g, digits => digits.padStart(10, '0')))
  return left === right ? 0 : (left ?? '') < (right ?? '') ? -1 : 1
}
