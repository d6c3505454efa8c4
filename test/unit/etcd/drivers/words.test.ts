import { expect, test } from 'vitest'
import { lastWordsOf } from '../../../../src/etcd/drivers/words.ts'

const line = (level: string, msg: string, error?: string) => JSON.stringify({ level, ts: '2026-11-21', msg, error })

test.each([
  [
    'why it could not listen, without what etcd calls it',
    [
      line('info', 'closed etcd server'),
      line('fatal', 'discovery failed', 'listen tcp 10.0.0.1:2380: bind: address already in use'),
    ],
    'listen tcp 10.0.0.1:2380: bind: address already in use',
  ],
  [
    'settings that do not fit, though that is a warning only',
    [
      line('warn', 'running on a single port'),
      line('info', 'Running'),
      line('warn', 'failed to verify flags', 'bad heartbeat'),
    ],
    'failed to verify flags: bad heartbeat',
  ],
  [
    'an unknown flag, before all of the help',
    ['flag provided but not defined: -nonsense', 'Usage:', '  etcd [flags]', '    Start an etcd server.'],
    'flag provided but not defined: -nonsense',
  ],
  [
    'a panic, not its stack',
    [
      line('panic', 'tocommit(9) is out of range [lastIndex(0)]'),
      'panic: tocommit(9)',
      'goroutine 1 [running]:',
      'main.main()',
    ],
    'tocommit(9) is out of range [lastIndex(0)]',
  ],
  [
    'a panic that the log does not have',
    [line('info', 'started'), 'panic: no space left', 'goroutine 1'],
    'panic: no space left',
  ],
  ['the newest of several', [line('fatal', 'first'), line('fatal', 'second')], 'second'],
  ['whatever it is, where nothing is known', ['exec format error'], 'exec format error'],
  ['a line that only looks like JSON', ['{broken'], '{broken'],
])('%s', (_, lines, words) => {
  expect(lastWordsOf(`${lines.join('\n')}\n`)).toBe(words)
})

test('of an empty log: nothing', () => expect(lastWordsOf('\n')).toBeUndefined())
