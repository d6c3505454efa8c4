import { isIP } from 'node:net'
import type { ClusterSpec, ClusterState, MemberSpec } from './cluster.ts'
import { clientUrl, peerUrl } from './cluster.ts'
import type { Launch, MemberPaths } from './drivers/driver.ts'
import { flagsFor } from './upgrade-flags.ts'
import { compareVersions, imageOf } from './versions.ts'

/** How a member comes to a cluster. */
export interface Bootstrap {
  state: 'new' | 'existing'
  /** Everybody, itself included, by name and peer URL. */
  members: { name: string; peerUrl: string }[]
}

/**
 * A member's command line. Pure. Flags that differ between members or in time are only those that must: everything else is the same
 * everywhere, so that two members can be compared by eye.
 */
export function launchOf(state: ClusterState, member: MemberSpec, paths: MemberPaths, bootstrap: Bootstrap): Launch {
  const { spec } = state
  const { generation, version } = state.members[member.name] ?? { generation: 1, version: spec.version }
  return {
    member: member.name,
    version,
    image: imageOf(spec.image, version),
    generation,
    args: runningArgs(spec, member, version, paths, generation),
    bootstrapArgs: [
      `--initial-cluster=${bootstrap.members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',')}`,
      `--initial-cluster-state=${bootstrap.state}`,
      `--initial-cluster-token=${state.token}`,
      `--initial-advertise-peer-urls=${peerUrl(member, spec)}`,
    ],
  }
}

/** As it starts in this state; the flags for the first start say `new` until the cluster has formed. */
export const launchFor = (state: ClusterState, member: MemberSpec, { paths }: { paths: MemberPaths }): Launch =>
  launchOf(state, member, paths, {
    state: state.formed ? 'existing' : 'new',
    members: state.spec.members.map(each => ({ name: each.name, peerUrl: peerUrl(each, state.spec) })),
  })

function runningArgs(spec: ClusterSpec, member: MemberSpec, version: string, paths: MemberPaths, generation: number) {
  const { ports, tuning } = spec
  const pki = (file: string) => `${paths.pki}/${file}`
  return [
    `--name=${member.name}`,
    `--data-dir=${paths.data(generation)}`,
    `--listen-client-urls=https://${listenOn(member)}:${ports.client}`,
    `--advertise-client-urls=${clientUrl(member, spec)}`,
    `--listen-peer-urls=https://${listenOn(member)}:${ports.peer}`,
    `--listen-metrics-urls=http://127.0.0.1:${ports.metrics}`,
    `--cert-file=${pki('server.pem')}`,
    `--key-file=${pki('server.pem')}`,
    `--trusted-ca-file=${pki('ca.crt')}`,
    '--client-cert-auth=true',
    `--peer-cert-file=${pki('peer.pem')}`,
    `--peer-key-file=${pki('peer.pem')}`,
    `--peer-trusted-ca-file=${pki('ca.crt')}`,
    '--peer-client-cert-auth=true',
    '--tls-min-version=TLS1.2',
    `--quota-backend-bytes=${tuning.quotaBytes}`,
    `--heartbeat-interval=${tuning.heartbeatMs}`,
    `--election-timeout=${tuning.electionMs}`,
    `--snapshot-count=${tuning.snapshotCount}`,
    ...corruptionChecks(version),
    ...flagsFor(version, tuning.extraArgs).args,
  ]
}

/** On its own address alone, so that etcd itself refuses an address that is not the machine's; a name is nothing to listen on. */
function listenOn({ address, listen = address }: MemberSpec): string {
  if (isIP(listen) === 0) return '0.0.0.0'
  return isIP(listen) === 6 ? `[${listen}]` : listen
}

/** 3.6 made feature gates of the experimental flags; 3.7 does not start with one of these. */
function corruptionChecks(version: string): string[] {
  return compareVersions(version, '3.6.0') < 0
    ? ['--experimental-initial-corrupt-check=true', '--experimental-watch-progress-notify-interval=5s']
    : [
        // SetMemberLocalAddr: peers are dialled from the address that the peer certificate names, also where a machine has several.
        // CompactHashCheck: whose data have changed behind its back is found out with API servers' next compaction, after 5 minutes.
        '--feature-gates=InitialCorruptCheck=true,CompactHashCheck=true,SetMemberLocalAddr=true',
        '--watch-progress-notify-interval=5s',
      ]
}

/** Does it run as it should? What counts at the first start alone is not compared. Pure. */
export const sameLaunch = (
  one: Pick<Launch, 'image' | 'generation' | 'args'>,
  other: Pick<Launch, 'image' | 'generation' | 'args'>,
): boolean =>
  one.image === other.image && one.generation === other.generation && one.args.join('\n') === other.args.join('\n')
