import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { certificatesIn, certificatesOnly } from '../../../src/pki/pem.ts'

const certificate = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`
const [one, two] = [certificate('b25l'), certificate('dHdv\n+/8=')]
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

test.each<[string, string, string[]]>([
  ['a bundle, with words between', `# ours\n${one}\n\n${two}`, [one, two]],
  ['a certificate and its key', `${one}\n${key}`, [one]],
  ['the key first', `${key}${one}\n`, [one]],
  ['a key alone', key, []],
  ['nothing', '', []],
  ['cut off', one.slice(0, -3), []],
])('%s', (_, text, expected) => {
  expect(certificatesIn(text)).toEqual(expected)
  expect(certificatesOnly(text)).toBe(expected.map(each => `${each}\n`).join(''))
})
