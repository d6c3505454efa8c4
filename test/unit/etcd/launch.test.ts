import { expect, test } from 'vitest'
import type { MemberSpec } from '../../../src/etcd/cluster.ts'
import { launchOf, sameLaunch } from '../../../src/etcd/launch.ts'
import { clusterState, memberSpec } from './spec.ts'

const paths = { data: (generation: number) => `/data/${generation}`, pki: '/pki' }
const bootstrap = {
  state: 'new' as const,
  members: [
    { name: 'm1', peerUrl: 'https://10.0.0.1:2380' },
    { name: 'm2', peerUrl: 'https://10.0.0.2:2380' },
  ],
}
const launch = (member: MemberSpec, version = '3.6.16', generation = 1) =>
  launchOf(
    clusterState({ members: [member] }, { token: 'tok', members: { [member.name]: { generation, version } } }),
    member,
    paths,
    bootstrap,
  )

test('a member’s command line', () => {
  const { image, args, bootstrapArgs } = launch(memberSpec('m1'))
  expect(image).toBe('example.com/etcd:v3.6.16')
  expect(args).toEqual(
    expect.arrayContaining([
      '--name=m1',
      '--data-dir=/data/1',
      '--listen-client-urls=https://10.0.0.1:2379',
      '--advertise-client-urls=https://10.0.0.1:2379',
      '--cert-file=/pki/server.pem',
      '--key-file=/pki/server.pem',
      '--client-cert-auth=true',
      '--peer-client-cert-auth=true',
    ]),
  )
  expect(bootstrapArgs).toEqual([
    '--initial-cluster=m1=https://10.0.0.1:2380,m2=https://10.0.0.2:2380',
    '--initial-cluster-state=new',
    '--initial-cluster-token=tok',
    '--initial-advertise-peer-urls=https://10.0.0.1:2380',
  ])
})

test.for<[string, Partial<MemberSpec>, string]>([
  ['an IPv6 address', { address: 'fd00::7' }, '--listen-peer-urls=https://[fd00::7]:2380'],
  ['a name is nothing to listen on', { address: 'm1.example.com' }, '--listen-peer-urls=https://0.0.0.0:2380'],
  ['its own side of a NAT', { listen: '192.168.1.5' }, '--listen-peer-urls=https://192.168.1.5:2380'],
  ['and the address still goes out', { listen: '192.168.1.5' }, '--advertise-client-urls=https://10.0.0.1:2379'],
])('%s', ([, member, expected]) => {
  expect(launch(memberSpec('m1', member)).args).toContain(expected)
})

test.for<[string, string, string]>([
  ['3.5.33', '--experimental-initial-corrupt-check=true', '--feature-gates'],
  ['3.6.0', '--feature-gates=InitialCorruptCheck=true,CompactHashCheck=true,SetMemberLocalAddr=true', '--experimental'],
  ['3.7.1', '--watch-progress-notify-interval=5s', '--experimental'],
])('%s spells its checks %s', ([version, has, hasNot]) => {
  const text = launch(memberSpec('m1'), version).args.join(' ')
  expect(text).toContain(has)
  expect(text).not.toContain(hasNot)
})

test('only what it runs with for good tells two launches apart', () => {
  const one = launch(memberSpec('m1'))
  expect(sameLaunch(one, { ...one, args: [...one.args] })).toBe(true)
  expect(sameLaunch(one, launch(memberSpec('m1'), '3.6.16', 2))).toBe(false)
  expect(sameLaunch(one, launch(memberSpec('m1'), '3.6.17'))).toBe(false)
})
