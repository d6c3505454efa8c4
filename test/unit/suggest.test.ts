import { expect, test } from 'vitest'
import { distance, suggest } from '../../src/suggest.ts'

test.each([
  ['context', 'context', 0],
  ['contxt', 'context', 1],
  ['cnotext', 'context', 1],
  ['', 'up', 2],
  ['status', 'verify', 6],
])('distance %s %s is %i', (a, b, edits) => expect(distance(a, b)).toBe(edits))

const known = ['context', 'contexts', 'host-context', 'up', 'down', 'status', 'verify']
test.each([
  ['contxt', 'context'],
  ['stauts', 'status'],
  ['pu', 'up'],
  ['veri', 'verify'],
  ['donw', 'down'],
  ['zebra', undefined],
  ['x', undefined],
])('suggest %s is %s', (word, meant) => expect(suggest(word, known)).toBe(meant))
