import { env } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { runProgram } from '../../src/program.ts'

const sh = (script: string, options: Partial<Parameters<typeof runProgram>[2]> = {}) =>
  runProgram('sh', ['-c', script], { env, ...options })

test('any exit code is an answer, with what was said on both streams', async () => {
  const { code, stdout, stderr } = await sh('echo out; echo err >&2; exit 3')
  expect({ code, stdout: stdout.toString(), stderr }).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n' })
})

test('input reaches it whole', async () => {
  const chunks = Array.from({ length: 50 }, () => Buffer.alloc(100_000, 'x'))
  expect((await sh('wc -c', { input: chunks })).stdout.toString().trim()).toBe('5000000')
})

test('a program that ends before it has read its input speaks for itself', async () => {
  const endless = (function* () {
    for (;;) yield Buffer.alloc(65_536)
  })()
  expect(await sh('echo enough >&2; exit 4', { input: endless })).toMatchObject({ code: 4, stderr: 'enough\n' })
})

test('an input that fails ends the program, and is what went wrong', async () => {
  async function* broken() {
    yield Buffer.from('a')
    await sleep(1)
    throw new Error('the disk is gone')
  }
  await expect(sh('cat; exec sleep 60', { input: broken() })).rejects.toThrow('the disk is gone')
})

test("Ctrl-C ends it, and the signal's reason is the answer", async () => {
  const controller = new AbortController()
  const running = sh('trap "exit 0" TERM; while :; do sleep 0.05; done', { signal: controller.signal })
  controller.abort(new Error('stopped by the user'))
  await expect(running).rejects.toThrow('stopped by the user')
  await expect(sh('true', { signal: controller.signal })).rejects.toThrow('stopped by the user')
})

test('a limit ends it', async () => {
  await expect(sh('exec sleep 60', { timeoutMs: 20 })).rejects.toMatchObject({ name: 'TimeoutError' })
})

test('it is ended once it has said enough', async () => {
  const { stdout } = await sh('echo first; exec sleep 60', { enoughBytes: 1 })
  expect(stdout.toString()).toBe('first\n')
})

test('a program that is not there is an error of the system', async () => {
  await expect(runProgram('no-such-program', [], { env })).rejects.toMatchObject({ code: 'ENOENT' })
})

test('it sees no environment but the one given', async () => {
  const { stdout } = await runProgram('env', [], { env: { PATH: env['PATH'], ONLY: 'this' } })
  expect(stdout.toString().split('\n').filter(Boolean).toSorted()).toEqual(['ONLY=this', `PATH=${env['PATH']}`])
})
