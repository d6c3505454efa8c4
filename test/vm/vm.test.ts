import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../sandbox/api.ts'
import { bootVm, type Vm } from './boot.ts'
import { makeSegment, type Segment } from './segment.ts'

let vm: Vm
beforeAll(async () => {
  vm = await bootVm()
})
afterAll(() => vm?.[Symbol.asyncDispose]())

describe('a program in a virtual machine', () => {
  test('has input, output and an exit code as here', async () => {
    const run = await vm.attempt(['sh', '-c', 'cat; echo "$NAME" >&2; exit 3'], { input: 'in', env: { NAME: 'value' } })
    expect(run).toEqual({ code: 3, stdout: 'in', stderr: 'value\n' })
  })

  test('takes and gives more than a line holds', async () => {
    const input = [Buffer.alloc(100_000, 'a'), Buffer.alloc(100_000, 'b')]
    const { stdout } = await vm.exec(['cat'], { input })
    expect(stdout).toBe(Buffer.concat(input).toString())
  })

  test('runs beside others', async () => {
    await vm.exec(['mkfifo', '/run/fifo'])
    const [read] = await Promise.all([vm.exec(['cat', '/run/fifo']), vm.exec(['sh', '-c', 'echo met >/run/fifo'])])
    expect(read.stdout).toBe('met\n')
  })

  test('ends with whoever waits for it', async () => {
    const stop = new AbortController()
    const sleeps = async () => (await vm.attempt(['pgrep', '-x', 'sleep'])).code === 0
    const running = vm.exec(['sleep', '987'], { signal: stop.signal })
    await expect.poll(sleeps, { timeout: 30_000 }).toBe(true)
    stop.abort(new Error('enough'))
    await expect(running).rejects.toThrow('enough')
    await expect.poll(sleeps, { timeout: 30_000 }).toBe(false)
  })

  test('that is not there is an error', async () => {
    await expect(vm.exec(['no-such-program'])).rejects.toThrow('no-such-program')
  })

  test("reads this machine's files", async () => {
    const { stdout } = await vm.exec(['head', '-1', vm.hostPath(import.meta.filename)])
    expect(stdout).toContain('vitest')
  })
})

describe('machines on a network', () => {
  let lan: Segment
  const answer = (vip: string) => ['bash', '-c', `exec 3<>/dev/tcp/${vip}/6443; cat <&3`]
  const servers = { api1: ['192.168.10.1/24', 'fd10::1/64'], api2: ['192.168.10.2/24', 'fd10::2/64'] }

  beforeAll(async () => {
    lan = await makeSegment(vm, 'lan', { ...servers, node: ['192.168.10.10/24', 'fd10::10/64'] })
    for (const name of Object.keys(servers))
      await lan.start(name, ['busybox', 'nc', '-ll', '-p', '6443', '-e', '/bin/echo', name])
    for (const name of Object.keys(servers))
      await until(`${name} listens`, 60, async () => (await lan.exec(name, ['ss', '-Hltn'])).stdout.includes(':6443'))
  })

  test.for([
    { family: 'IPv4', vip: '198.18.0.1', service: '198.18.0.1:6443', server: (n: number) => `192.168.10.${n}:6443` },
    { family: 'IPv6', vip: 'fd18::1', service: '[fd18::1]:6443', server: (n: number) => `[fd10::${n}]:6443` },
  ])('$family: a virtual address of a node reaches every server', async ({ family, vip, service, server }) => {
    const [ip, prefix, source] = family === 'IPv4' ? ['-4', 32, '192.168.10.10'] : ['-6', 128, 'fd10::10']
    await lan.exec('node', ['ip', ip, 'route', 'replace', 'local', `${vip}/${prefix}`, 'dev', 'lo', 'src', source])
    await lan.exec('node', ['ipvsadm', '-R'], {
      input: `-A -t ${service} -s rr\n-a -t ${service} -r ${server(1)} -m -w 1\n-a -t ${service} -r ${server(2)} -m -w 1\n`,
    })
    const answers = [await lan.exec('node', answer(vip)), await lan.exec('node', answer(vip))]
    expect(answers.map(({ stdout }) => stdout).sort()).toEqual(['api1\n', 'api2\n'])
  })
})
