import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { afterAll, describe, expect, test } from 'vitest'
import { down } from '../sandbox/down.ts'
import { openSandbox } from '../sandbox/index.ts'
import { leftovers } from '../sandbox/leftovers.ts'
import { emptyShape, type Shape } from '../sandbox/plan.ts'
import { slotOf } from '../sandbox/state.ts'
import { up } from '../sandbox/up.ts'
import { createReport } from '../setup/report.ts'
import { eventually } from './plugin.ts'

const name = 'sandbox-test'
const shape: Shape = { ...emptyShape, hosts: 1, pull: 2, karmada: false }
const report = createReport({ write: () => {} })

afterAll(() => down(name))

/** Runs `up` in a process of its own and kills that as soon as it has said `line`. */
function upKilledAfter(line: string): Promise<void> {
  const flags = ['--name', name, '--members', '2', '--karmada=false']
  const child = spawn(execPath, [join(import.meta.dirname, '../sandbox/main.ts'), 'up', ...flags])
  child.stderr.on('data', (text: Buffer) => text.includes(line) && child.kill('SIGKILL'))
  return new Promise(resolve => child.on('close', () => resolve()))
}

test('what a killed "up" left is found and removed by "down"', async () => {
  await upKilledAfter('Network')
  const slot = (await slotOf(name)) ?? 0
  expect(await leftovers(name, slot)).not.toEqual([])
  await down(name)
  expect(await leftovers(name, slot)).toEqual([])
  await expect(down(name)).resolves.toBe(0)
})

test('"up" makes anew what a killed one left, and then has nothing to do', async () => {
  await upKilledAfter('Network')
  expect(await up(name, shape, report)).toBe('changed')
  expect(await up(name, shape, report)).toBe('unchanged')
})

test('members with the same address are different clusters, which the host cannot dial', async () => {
  const sandbox = await openSandbox(name)
  const uid = async (context: string) =>
    (
      await sandbox.exec([
        'kubectl',
        '--context',
        context,
        'get',
        'ns',
        'kube-system',
        '-o',
        'jsonpath={.metadata.uid}',
      ])
    ).stdout
  expect(sandbox.member('member1').address).toBe(sandbox.member('member2').address)
  expect(await uid('member1')).not.toBe(await uid('member2'))
  const dial = (address: string) =>
    sandbox.host.exec(['timeout', '2', 'bash', '-c', `echo > /dev/tcp/${address}/6443`]).then(
      () => 'answered',
      () => 'no answer',
    )
  expect(await dial(sandbox.host.address)).toBe('answered')
  expect(await dial(sandbox.member('member1').address)).toBe('no answer')
  expect(await dial(sandbox.member('member1').adminAddress)).toBe('no answer')
})

test('a daemon that was killed is started again by "up"', async () => {
  const sandbox = await openSandbox(name)
  await sandbox.member('member1').stop('kube-apiserver')
  expect((await sandbox.attempt(['kubectl', '--context', 'member1', 'get', '--raw', '/readyz'])).code).not.toBe(0)
  expect(await up(name, shape, report)).toBe('changed')
  expect((await sandbox.exec(['kubectl', '--context', 'member1', 'get', '--raw', '/readyz'])).stdout).toBe('ok')
})

test('logs and exec go through the API server to the kubelet', async () => {
  const { exec } = await openSandbox(name)
  const kubectl = (...args: string[]) => exec(['kubectl', '--context', 'member2', ...args])
  await kubectl('run', 'hello', '--image=docker.io/library/busybox:1.36', '--', 'sh', '-c', 'echo hello; sleep 1000')
  await kubectl('wait', '--for=condition=Ready', 'pod/hello', '--timeout=60s')
  expect((await kubectl('logs', 'hello')).stdout).toBe('hello\n')
  expect((await kubectl('exec', 'hello', '--', 'id', '-u')).stdout).toBe('0\n')
})

describe('a machine for etcd', () => {
  const alone: Shape = { ...emptyShape, machines: 1 }
  const image = 'gcr.io/etcd-development/etcd:v3.6.16'

  test('runs containers in its own network, on a disk of its own', async () => {
    expect(await up(name, { ...alone, karmada: false }, report)).toBe('changed')
    const sandbox = await openSandbox(name)
    const machine = sandbox.machine('etcd1')
    const command = ['etcd', '--data-dir=/tmp/data', `--listen-client-urls=http://${machine.address}:2379`]
    const urls = `--advertise-client-urls=http://${machine.address}:2379`
    await sandbox.exec(['docker', '-H', machine.docker, 'run', '-d', '--network=host', image, ...command, urls])
    const answer = () => fetch(`http://${machine.address}:2379/version`).then(response => response.json())
    await eventually(30, async () => expect(await answer()).toMatchObject({ etcdserver: '3.6.16' }))
    const { stdout } = await machine.exec(['df', '--output=source', '/var/lib/docker'])
    expect(stdout).toMatch(/\/dev\/loop\d+/)
  })

  test('starts its engine again after that was killed', async () => {
    const sandbox = await openSandbox(name)
    await sandbox.machine('etcd1').stop('docker')
    expect(await up(name, alone, report)).toBe('changed')
    const { stdout } = await sandbox.exec(['docker', '-H', sandbox.machine('etcd1').docker, 'images', '--quiet'])
    expect(stdout.trim().split('\n')).toHaveLength(2)
  })

  test('leaves nothing behind, with a container and an engine that was killed', async () => {
    const sandbox = await openSandbox(name)
    const { docker, stop } = sandbox.machine('etcd1')
    await sandbox.exec(['docker', '-H', docker, 'run', '-d', '--network=host', image, 'etcd', '--data-dir=/tmp/data'])
    await stop('docker')
    const slot = (await slotOf(name)) ?? 0
    expect((await leftovers(name, slot)).filter(left => left.startsWith('disk'))).toHaveLength(1)
    await down(name)
    expect(await leftovers(name, slot)).toEqual([])
  })
})
