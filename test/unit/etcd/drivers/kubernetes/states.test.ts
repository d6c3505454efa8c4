import { describe, expect, test } from 'vitest'
import { deliveredIn } from '../../../../../src/etcd/drivers/kubernetes/files.ts'
import { freeBytesIn, type Node, nodeFor, silent, skewOf } from '../../../../../src/etcd/drivers/kubernetes/node.ts'
import { type Pod, paths, statefulSetOf } from '../../../../../src/etcd/drivers/kubernetes/objects.ts'
import { exitCode, mustGo, runs, started } from '../../../../../src/etcd/drivers/kubernetes/pod-state.ts'
import { launchFor } from '../../../../../src/etcd/launch.ts'
import { createAuthority } from '../../../../../src/pki/certificate.ts'
import { clusterState, memberSpec } from '../../spec.ts'

const driver = {
  kind: 'kubernetes' as const,
  context: 'hub',
  namespace: 'etcd',
  storage: { hostPath: '/srv/etcd' },
}
const launch = launchFor(clusterState(), memberSpec('m1'), { paths })
const wanted = { launch, bootstrapArgs: launch.bootstrapArgs }

type ContainerState = NonNullable<NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]['state']>
const running: ContainerState = { running: {} }
const crashing: ContainerState = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 20s' } }

function podIn(
  state: ContainerState | undefined,
  rest: { uid?: string; going?: boolean; lastExit?: number } = {},
): Pod {
  const { uid = 'a', going = false, lastExit } = rest
  const { metadata, spec } = statefulSetOf(
    { cluster: 'karmada', member: 'm1', driver },
    { ...wanted, node: 'n1', replicas: 1 },
  ).spec.template
  const status = {
    name: 'etcd',
    image: '',
    imageID: '',
    ready: false,
    restartCount: lastExit === undefined ? 0 : 1,
    ...(state && { state }),
    ...(lastExit !== undefined && { lastState: { terminated: { exitCode: lastExit } } }),
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      name: 'etcd-karmada-m1-0',
      uid,
      ...(going && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    },
    ...(spec && { spec }),
    status: { containerStatuses: state || lastExit !== undefined ? [status] : [] },
  }
}

describe('a pod', () => {
  const other = { ...wanted, launch: { ...launch, args: [...launch.args, '--auto-compaction-retention=1'] } }
  const otherBegin = { ...wanted, bootstrapArgs: ['--initial-cluster-state=existing'] }
  const cases: Record<string, { pod: Pod; mustGo: boolean; started: true | RegExp; wanted?: typeof wanted }> = {
    'that runs as wanted stays': { pod: podIn(running), mustGo: false, started: true },
    'that runs otherwise goes': { pod: podIn(running), mustGo: true, started: /old command line/, wanted: other },
    'that runs does not care how it would begin': {
      pod: podIn(running),
      mustGo: false,
      started: true,
      wanted: otherBegin,
    },
    'that has not begun does': { pod: podIn(undefined), mustGo: true, started: /not on a node/, wanted: otherBegin },
    'that is on its way is waited for': {
      pod: podIn({ waiting: { reason: 'ContainerCreating' } }),
      mustGo: false,
      started: /^ContainerCreating$/,
    },
    'that keeps ending goes, and counts as started': {
      pod: podIn(crashing, { lastExit: 2 }),
      mustGo: true,
      started: true,
    },
    'that is going is waited for': { pod: podIn(running, { going: true }), mustGo: false, started: /stopping/ },
  }
  for (const [name, each] of Object.entries(cases)) {
    test(name, () => {
      expect(mustGo(each.pod, each.wanted ?? wanted)).toBe(each.mustGo)
      const answer = started(each.pod, each.wanted ?? wanted, undefined)
      if (each.started === true) expect(answer).toBe(true)
      else expect(answer).toMatch(each.started)
    })
  }

  test('before it is not the one that is waited for', () => {
    expect(started(podIn(running, { uid: 'old' }), wanted, 'old')).toMatch(/before it/)
    expect(started(podIn(running, { uid: 'new' }), wanted, 'old')).toBe(true)
    expect(started(undefined, wanted, 'old')).toMatch(/not there/)
  })

  test('its exit is of its last end, as long as it does not run again', () => {
    expect(exitCode(podIn(crashing, { lastExit: 2 }))).toBe(2)
    expect(exitCode(podIn({ terminated: { exitCode: 137 } }))).toBe(137)
    expect(exitCode(podIn(running, { lastExit: 2 }))).toBeUndefined()
    expect(runs(podIn(running, { going: true }))).toBe(false)
  })
})

describe('the node', () => {
  const node = (name: string, address: string, ready = 'True'): Node => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    status: {
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: name },
      ],
      conditions: [{ type: 'Ready', status: ready, message: 'Kubelet stopped posting node status.' }],
    },
  })
  const nodes = [node('n1', '10.0.0.1'), node('n2', '10.0.0.2')]
  const on = (name: string | undefined) => ({ ...driver, node: name })

  test('is the one with the address, or the one that was named', () => {
    expect(nodeFor(nodes, memberSpec('m2'), driver)).toBe('n2')
    expect(nodeFor(nodes, memberSpec('m2', { address: 'etcd.example.com' }), on('n1'))).toBe('n1')
    // Behind a NAT: its own side of it counts.
    expect(nodeFor(nodes, memberSpec('m9', { address: '203.0.113.5', listen: '10.0.0.1' }), driver)).toBe('n1')
    expect(nodeFor(nodes, memberSpec('m9'), driver)).toBeUndefined()
  })

  test('is not one that is not there, nor one beside the address', () => {
    expect(() => nodeFor(nodes, memberSpec('m1'), on('n7'))).toThrow('context hub has no node "n7"')
    expect(() => nodeFor(nodes, memberSpec('m2'), on('n1'))).toThrow(
      "10.0.0.2, the address of m2, is node n2's; node n1 has 10.0.0.1",
    )
  })

  test('that is silent cannot say that a pod has ended', () => {
    expect(silent(node('n1', '10.0.0.1', 'Unknown'))).toMatch('node n1 does not report: Kubelet stopped')
    expect(silent(node('n1', '10.0.0.1', 'False'))).toBeUndefined()
    expect(silent(undefined)).toBeUndefined()
  })

  test.each([
    { date: 5000, sent: 5200, received: 5300, skew: 0 },
    { date: 5000, sent: 5900, received: 6100, skew: 0 },
    { date: 5000, sent: 8000, received: 8100, skew: -2000 },
    { date: 9000, sent: 5000, received: 5100, skew: 3900 },
  ])('its clock: $date between $sent and $received is $skew ms off', ({ date, sent, received, skew }) => {
    expect(skewOf(date, { sentMs: sent, receivedMs: received })).toBe(skew)
  })

  test('free space of the volume, else of the kubelet’s disk', () => {
    const pod = { namespace: 'etcd', name: 'etcd-karmada-m1-0' }
    const summary = { node: { fs: { availableBytes: 7 } }, pods: [{ podRef: pod, volume: [{ name: 'pki' }] }] }
    expect(freeBytesIn(summary, pod)).toBe(7)
    const volume = [{ name: 'data', availableBytes: 5 }]
    expect(freeBytesIn({ ...summary, pods: [{ podRef: pod, volume }] }, pod)).toBe(5)
    expect(freeBytesIn({}, pod)).toBeUndefined()
  })
})

test('what was delivered is told without keys', () => {
  const { certificate, key } = createAuthority('x', { days: 1 })
  const data = Object.fromEntries(
    Object.entries({ 'ca.crt': certificate, 'server.pem': certificate + key, 'peer.pem': key + certificate }).map(
      ([file, text]) => [file, Buffer.from(text).toString('base64')],
    ),
  )
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data }
  const found = deliveredIn(secret)
  expect(found?.['server.pem'].trim()).toBe(certificate.trim())
  expect(found?.['peer.pem'].trim()).toBe(certificate.trim())
  expect(JSON.stringify(found)).not.toContain('PRIVATE')
  expect(deliveredIn({ ...secret, data: { 'ca.crt': data['ca.crt'] ?? '' } })).toBeUndefined()
  expect(deliveredIn(undefined)).toBeUndefined()
})
