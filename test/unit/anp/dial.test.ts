import { duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { secure } from '../../../src/anp/dial.ts'

test('a TLS handshake over a tunnel that is closed, by a limit or Ctrl-C, ends', async () => {
  const [near] = duplexPair()
  near.on('error', () => undefined)
  const handshake = secure(near, { host: 'kubernetes.default.svc', port: 443 }, undefined)
  near.destroy(new Error('enough'))
  await expect(handshake).rejects.toThrow()
})
