import { expect, test } from 'vitest'
import { formatDuration, formatElapsed, parseDuration } from '../../../src/cli/duration.ts'

test.each([
  ['5m', 300_000],
  ['1m30s', 90_000],
  ['300ms', 300],
  ['1.5h', 5_400_000],
  ['.5s', 500],
  ['0', 0],
  ['0s', 0],
  ['1h0m2s', 3_602_000],
  ['5', undefined],
  ['', undefined],
  ['5m ', undefined],
  ['m', undefined],
  ['-5m', undefined],
  ['5 m', undefined],
  ['5min', undefined],
])('parseDuration %j is %j', (text, milliseconds) => expect(parseDuration(text)).toBe(milliseconds))

test.each([
  [300_000, '5m'],
  [90_000, '1m30s'],
  [300, '300ms'],
  [0, '0s'],
  [3_600_000, '1h'],
  [1500, '1.5s'],
])('formatDuration %j is %s', (milliseconds, text) => expect(formatDuration(milliseconds)).toBe(text))

test.each([
  [0, '0.0s'],
  [4120, '4.1s'],
  [59_940, '59.9s'],
  [59_960, '1m00s'],
  [185_000, '3m05s'],
])('formatElapsed %j is %s', (milliseconds, text) => expect(formatElapsed(milliseconds)).toBe(text))
