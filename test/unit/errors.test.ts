import { expect, test } from 'vitest'
import { UserError } from '../../src/errors.ts'

test('a user error keeps its hint and its cause', () => {
  const cause = new Error('dial tcp: i/o timeout')
  const error = new UserError('host unreachable', { hint: 'kubectl karmada-net contexts', cause })
  expect(error).toMatchObject({ message: 'host unreachable', hint: 'kubectl karmada-net contexts', cause })
})
