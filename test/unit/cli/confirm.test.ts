import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { confirmByName } from '../../../src/cli/confirm.ts'
import { createSession } from '../../../src/cli/session.ts'
import { fakeIo } from './fake-io.ts'

const what = 'etcd karmada is removed with all that it stores'

function sessionWith(typed: string | undefined) {
  const stdin: PassThrough & { isTTY?: boolean } = new PassThrough()
  stdin.isTTY = typed !== undefined
  stdin.end(typed)
  const io = { ...fakeIo(), stdin }
  return { io, session: createSession(io, { verbosity: 0, quiet: false }) }
}

test('the name, typed', async () => {
  const { io, session } = sessionWith('karmada\n')
  await confirmByName(session, 'karmada', what, { yes: false })
  expect(io.stderr.text).toBe(`${what}\nType karmada to go on: `)
})

test('something else', async () => {
  const { session } = sessionWith('yes\n')
  await expect(confirmByName(session, 'karmada', what, { yes: false })).rejects.toThrow(
    '"yes" is not karmada: nothing was changed',
  )
})

test('nobody to ask', async () => {
  const { session } = sessionWith(undefined)
  await expect(confirmByName(session, 'karmada', what, { yes: false })).rejects.toMatchObject({
    message: `${what}: there is no terminal to confirm it`,
    hint: 'add --yes',
  })
  await expect(confirmByName(session, 'karmada', what, { yes: true })).resolves.toBeUndefined()
})
