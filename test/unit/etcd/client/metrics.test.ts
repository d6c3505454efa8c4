import { expect, test } from 'vitest'
import { startedIn } from '../../../../src/etcd/client/metrics.ts'

test.each([
  ['# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 1.7637342e+09\n', 1763734200],
  ['process_start_time_seconds_total 1\n', undefined],
  ['', undefined],
])('when a process began, in %o', (text, seconds) => expect(startedIn(text)).toBe(seconds))
