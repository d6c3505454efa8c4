import { mkdtemp, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commands } from '../../../src/commands/index.ts'
import { fakeIo, runCaptured } from '../cli/fake-io.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'karmada-net-completion-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

const run = (...argv: string[]) => runCaptured(commands, ['completion', ...argv], fakeIo({ env: { PATH: dir } }))

test.each([
  ['bash', 'complete -F __karmada_net_complete kubectl-karmada_net\n'],
  ['zsh', '#compdef kubectl-karmada_net\n'],
  ['fish', 'complete -c kubectl-karmada_net -f -a '],
])('%s', async (shell, line) => {
  const { code, stdout, stderr } = await run(shell)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain(line)
})

test('without a shell it says which there are', async () => {
  expect(await run()).toEqual({
    code: 1,
    stdout: '',
    stderr: 'error: SHELL is missing: bash, zsh, fish\nhint: kubectl karmada-net completion --install\n',
  })
})

test('--install, twice', async () => {
  const path = join(dir, 'kubectl_complete-karmada_net')
  expect(await run('--install', '--dir', dir)).toEqual({ code: 0, stdout: `${path} created\n`, stderr: '' })
  expect(await run('--install', '--dir', dir)).toEqual({ code: 0, stdout: `${path} unchanged\n`, stderr: '' })
  expect(await readlink(path)).toBe(process.execPath)
})

test('--uninstall takes it away again, twice', async () => {
  const path = join(dir, 'kubectl_complete-karmada_net')
  await run('--install', '--dir', dir)
  expect(await run('--uninstall', '--dir', dir)).toEqual({ code: 0, stdout: `${path} removed\n`, stderr: '' })
  expect(await run('--uninstall', '--dir', dir)).toEqual({ code: 0, stdout: `${path} is not there\n`, stderr: '' })
  await expect(readlink(path)).rejects.toThrow('ENOENT')
})

test('--uninstall says where kubectl finds another one', async () => {
  await run('--install', '--dir', dir)
  const elsewhere = join(dir, 'empty')
  expect(await run('--uninstall', '--dir', elsewhere)).toEqual({
    code: 0,
    stdout: `${join(elsewhere, 'kubectl_complete-karmada_net')} is not there\n`,
    stderr: `hint: there is another one: kubectl karmada-net completion --uninstall --dir ${dir}\n`,
  })
})

test('--install and --uninstall at once are refused', async () => {
  const { code, stderr } = await run('--install', '--uninstall', '--dir', dir)
  expect({ code, stderr }).toEqual({ code: 1, stderr: 'error: --install and --uninstall exclude each other\n' })
})

test('--install where kubectl does not look says so', async () => {
  const elsewhere = join(dir, 'elsewhere')
  const { code, stderr } = await run('--install', '--dir', elsewhere)
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: `Warning: ${elsewhere} is not in PATH: kubectl will not find it there\n`,
  })
})
