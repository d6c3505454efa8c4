import { expect, test } from 'vitest'
import { isPartOf, outdated, parseSnapshotName, partName, snapshotName } from '../../../../src/etcd/snapshot/names.ts'

const takenAt = new Date('2026-11-21T11:23:04.567Z')

test('a name tells cluster, revision and time, and is read again', () => {
  const name = snapshotName({ cluster: 'my-etcd-2', revision: 1000104754n, takenAt })
  expect(name).toBe('my-etcd-2-1000104754-20261121T112304Z.db')
  expect(parseSnapshotName(name)).toEqual({
    cluster: 'my-etcd-2',
    revision: 1000104754n,
    takenAt: new Date('2026-11-21T11:23:04Z'),
  })
})

test.each([
  'snapshot.db',
  'karmada-12.db',
  'karmada-12-20261121T112304Z.db.gz',
  'karmada-x-20261121T112304Z.db',
  'karmada-1-20261399T112304Z.db',
])('%s is not ours', file => {
  expect(parseSnapshotName(file)).toBeUndefined()
})

test('the newest stay; other clusters and other files are not touched', () => {
  const files = [
    'karmada-5-20261121T000000Z.db',
    'karmada-9-20261119T000000Z.db',
    'karmada-7-20261120T000000Z.db',
    'karmada-2-1-20261101T000000Z.db',
    'other-1-20261101T000000Z.db',
    'karmada.db',
    'karmada-5-20261121T000000Z.db.sha256',
  ]
  expect(outdated(files, 'karmada', 2)).toEqual(['karmada-9-20261119T000000Z.db'])
  expect(outdated(files, 'karmada', 3)).toEqual([])
  expect(outdated(files, 'karmada-2', 1)).toEqual([])
})

test('unfinished files are known by their cluster', () => {
  expect(isPartOf('karmada', partName('karmada', '17af'))).toBe(true)
  expect(isPartOf('karmada', partName('karmada-2', '17af'))).toBe(false)
  expect(isPartOf('karmada', '.karmada.part')).toBe(false)
})
