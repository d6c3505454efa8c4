import { expect, test } from 'vitest'
import { explain, startTime } from '../../../../src/vip/node/suspect.ts'

test('the start of a process is told by its metrics', () => {
  expect(startTime('# TYPE x gauge\nprocess_start_time_seconds 1.7637e+09\n')).toBe(1_763_700_000_000)
  expect(startTime('')).toBeUndefined()
})

test.each([
  ['started a moment before', 0, 99_000, 'kube-proxy restarted'],
  ['started a moment after', 0, 101_000, 'kube-proxy restarted'],
  ['has run for long, and everything is gone', 0, 10_000, undefined],
  ['has run for long, and others are left', 7, 10_000, 'excludeCIDRs'],
])('kube-proxy %s', (_, othersLeft, startedMs, wanted) => {
  const found = explain(100_000, othersLeft, startedMs)
  if (wanted === undefined) expect(found).toBeUndefined()
  else expect(found).toContain(wanted)
})
