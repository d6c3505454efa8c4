import { expect, test } from 'vitest'
import { cgroupOf, parseCgroupMounts } from '../../sandbox/cgroups.ts'

const v1 = `31 24 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
33 31 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd`
const hybrid = `${v1}
34 31 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw`
const v2 = `35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate
36 24 0:31 / /proc rw - proc proc rw`

test.each([
  ['v1', v1, 1, ['cpu,cpuacct', 'systemd'], 2],
  ['hybrid', hybrid, 1, ['cpu,cpuacct', 'systemd'], 3],
  ['v2', v2, 2, [''], 1],
] as const)('%s', (_, mountinfo, version, mounts, all) => {
  const trees = parseCgroupMounts(mountinfo)
  expect(trees.version).toBe(version)
  expect(trees.mounts).toEqual(mounts.map(name => (name ? `/sys/fs/cgroup/${name}` : '/sys/fs/cgroup')))
  expect(trees.all).toHaveLength(all)
})

test('a machine without control groups cannot run a sandbox', () => {
  expect(() => parseCgroupMounts('36 24 0:31 / /proc rw - proc proc rw')).toThrow('no control groups')
})

test('a group names its sandbox', () => expect(cgroupOf('dev', 'member1')).toBe('/karmada-net-dev/member1'))
