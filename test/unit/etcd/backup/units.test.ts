import { describe, expect, test } from 'vitest'
import { backupUnits, isOurs } from '../../../../src/etcd/backup/units.ts'

const backup = { schedule: '6h', keep: 7, directory: '/backup' }
const caller = { command: ['/usr/bin/node', '/opt/karmada-net'], state: '/home/a/.kube/karmada-net', user: 'a' }
const unitsOf = (more: { backup?: object; caller?: object } = {}, cluster = 'blue') => {
  const units = backupUnits(cluster, { ...backup, ...more.backup }, { ...caller, ...more.caller })
  return {
    service: units[`karmada-net-etcd-backup-${cluster}.service`] ?? '',
    timer: units[`karmada-net-etcd-backup-${cluster}.timer`] ?? '',
  }
}

describe('units', () => {
  test('say who takes what, where to and when', () => {
    const { service, timer } = unitsOf()
    expect(service).toContain(
      'ExecStart=/usr/bin/node /opt/karmada-net etcd snapshot save --etcd=blue --state=/home/a/.kube/karmada-net --directory=/backup --keep=7\n',
    )
    expect(service).toContain('\nUser=a\n')
    expect(service).toContain('\nReadWritePaths=/backup\n')
    expect(timer).toContain('\nOnCalendar=*-*-* 00,06,12,18:00:00 UTC\n')
    expect(timer).toContain('\nRandomizedDelaySec=300\n')
    for (const text of [service, timer]) {
      expect(text).not.toMatch(/@\w+@|sample/)
      expect(isOurs(text)).toBe(true)
    }
  })

  test('a short schedule is not delayed by much of itself', () => {
    expect(unitsOf({ backup: { schedule: '10m' } }).timer).toContain('\nRandomizedDelaySec=30\n')
  })

  test('a cluster may be called as what is replaced', () => {
    expect(unitsOf({}, 'keep').service).toContain('--etcd=keep ')
  })

  test.each([
    [{ backup: { directory: '/back up' } }, '/back up'],
    [{ backup: { directory: '/a%b' } }, '/a%b'],
    [{ caller: { state: '/home/$a' } }, '/home/$a'],
    [{ caller: { command: ['/opt/"x"'] } }, '/opt/"x"'],
  ])('%j cannot stand in one', (more, word) => {
    expect(() => unitsOf(more)).toThrow(`"${word}" cannot stand in a unit of systemd`)
  })
})
