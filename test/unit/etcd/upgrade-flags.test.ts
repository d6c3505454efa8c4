import { describe, expect, test } from 'vitest'
import { flagsFor } from '../../../src/etcd/upgrade-flags.ts'

describe("the user's own flags", () => {
  test.each([
    ['--experimental-compact-hash-check-enabled=true', '--feature-gates=CompactHashCheck=true'],
    ['--experimental-initial-corrupt-check', '--feature-gates=InitialCorruptCheck=true'],
    ['--experimental-txn-mode-write-with-shared-buffer=false', '--feature-gates=TxnModeWriteWithSharedBuffer=false'],
    ['--experimental-watch-progress-notify-interval=10s', '--watch-progress-notify-interval=10s'],
    ['--experimental-memory-mlock', '--memory-mlock'],
    ['--experimental-distributed-tracing-address=h:1=2', '--distributed-tracing-address=h:1=2'],
    ['--max-txn-ops=512', '--max-txn-ops=512'],
    ['--enable-v2=false', undefined],
    ['--proxy=off', undefined],
  ])('%s is in 3.6 %s', (from, to) => {
    expect(flagsFor('3.6.16', [from]).args).toEqual(to === undefined ? [] : [to])
    expect(flagsFor('3.7.1', [from]).changes).toEqual(from === to ? [] : [{ from, to }])
  })

  test('stay as they are in 3.5', () => {
    const args = ['--experimental-memory-mlock', '--enable-v2=false']
    expect(flagsFor('3.5.33', args)).toEqual({ args, changes: [] })
  })
})
