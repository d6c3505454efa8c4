import { UserError } from '../errors.ts'
import { reached, seeContexts } from './choose-plane.ts'
import { serves } from './evidence.ts'
import type { Fleet, FleetHost, FleetPlane, Installation, Probe, Role, Selection } from './types.ts'

/** The cluster that the plane's workload runs in. Throws UserError when it is not found, or not the one that was named. */
export function chooseHost(fleet: Fleet, plane: FleetPlane, { hostContext, namespace }: Selection): FleetHost {
  const inNamespace = ({ installation }: FleetHost) => namespace === undefined || installation.namespace === namespace
  const probe = hostContext === undefined ? undefined : reached(fleet, hostContext)
  const known = plane.hosts.filter(host => probe === undefined || host.contexts.includes(probe.context))
  // What the user says outweighs what could not be proven, but not that another plane's workload runs there, or none.
  const hosts = probe !== undefined && known.length === 0 ? unclaimed(fleet, plane, probe) : known
  const [first, ...others] = hosts.filter(inNamespace)
  if (first === undefined && namespace !== undefined && hosts.length > 0) throw otherNamespace(plane, hosts, namespace)
  if (first === undefined) throw noHost(fleet, plane, probe, namespace)
  if (others.length > 0) throw severalHosts(plane, [first, ...others])
  return probe === undefined ? first : { ...first, contexts: [probe.context] }
}

/** Installations that may be the plane's for all that could be read, and are not another one's. */
function unclaimed(fleet: Fleet, { contexts, facts }: FleetPlane, probe: Probe): FleetHost[] {
  const servers = fleet.probes.filter(({ context }) => contexts.includes(context)).map(({ server }) => server)
  const taken = new Set(fleet.planes.flatMap(({ hosts }) => hosts.map(({ installation }) => installation)))
  return probe.installations
    .filter(installation => !taken.has(installation) && serves(installation, { servers, facts }) === 'unknown')
    .map(installation => ({ contexts: [probe.context], installation, evidence: 'user' }))
}

function otherNamespace({ name }: FleetPlane, hosts: FleetHost[], namespace: string): UserError {
  const found = hosts.map(({ installation }) => installation.namespace)
  return new UserError(`plane ${name} does not run in namespace ${namespace}, but in ${found.join(', ')}`, {
    hint: `leave -n out, or: -n ${found[0]}`,
  })
}

function severalHosts({ name }: FleetPlane, hosts: FleetHost[]): UserError {
  const [first] = hosts
  const oneCluster = hosts.every(({ contexts }) => contexts[0] === first?.contexts[0])
  const found = hosts.map(
    ({ contexts, installation }) => `${contexts.join(', ')} (namespace ${installation.namespace})`,
  )
  return new UserError(`${hosts.length} hosts fit plane ${name}: ${found.join(', ')}`, {
    hint: oneCluster
      ? `say which: -n ${first?.installation.namespace}`
      : `say which: --host-context ${first?.contexts[0]}`,
  })
}

function noHost(fleet: Fleet, plane: FleetPlane, probe: Probe | undefined, namespace: string | undefined): UserError {
  if (probe !== undefined) {
    const closed = probe.gaps.some(({ piece }) => piece === 'pods')
    const why = closed ? 'this user may not list pods there' : otherwise(probe.installations)
    const verdict = closed ? 'cannot be checked as' : 'is not'
    return new UserError(`context ${probe.context} ${verdict} the host of plane ${plane.name}: ${why}`, {
      hint: seeContexts,
    })
  }
  const where = namespace ?? plane.facts.hub?.namespace
  const silent = contextsOf(fleet, 'unreachable')
  const closed = fleet.probes
    .filter(({ gaps }) => gaps.some(({ piece }) => piece === 'pods'))
    .map(({ context }) => context)
  const candidates = contextsOf(fleet, 'host')
  return new UserError(
    `no context leads to the host cluster of plane ${plane.name}` +
      (where === undefined ? '' : `, which has its workload in namespace ${where}`) +
      (silent.length === 0 ? '' : `; no answer from ${silent.join(', ')}`) +
      (closed.length === 0 ? '' : `; this user may not look into ${closed.join(', ')}`),
    {
      hint:
        candidates.length === 0
          ? 'add the host cluster to the kubeconfig, or name its context: --host-context NAME'
          : `if it is ${candidates.join(' or ')}, say so: --host-context NAME`,
    },
  )
}

function otherwise(installations: Installation[]): string {
  if (installations.length === 0) return 'no Karmada runs there'
  return `the Karmada in namespace ${installations.map(({ namespace }) => namespace).join(', ')} is another one`
}

const contextsOf = (fleet: Fleet, role: Role): string[] =>
  fleet.rows.flatMap(row => (row.role === role && row.context !== undefined ? [row.context] : []))
