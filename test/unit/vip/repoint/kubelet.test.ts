import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { changeOf } from '../../../../src/vip/repoint/command.ts'
import { readKubeconfigFile } from '../../../../src/vip/repoint/file.ts'
import { judgeBack, judgeMove } from '../../../../src/vip/repoint/kubelets.ts'
import { kubeletPod } from '../../../../src/vip/repoint/pod.ts'
import { findKubelets, kubeconfigOf, startOf } from '../../../../src/vip/repoint/process.ts'
import { isLocal, parseClients, serverOf, targetFor } from '../../../../src/vip/repoint/target.ts'
import { readSettings } from '../../../../src/vip/settings.ts'

const vip = { server: 'https://198.18.0.1:6443' }
const old = 'https://10.0.0.1:6443'
const text = `clusters:\n- name: a\n  cluster:\n    server: ${old}\n`
const movedText = text.replace(old, vip.server)

describe('the kubelet among all that runs', () => {
  test.each([
    ['/usr/bin/kubelet --kubeconfig=/etc/kubernetes/kubelet.conf --v=2', '/etc/kubernetes/kubelet.conf'],
    ['kubelet --v=2 --kubeconfig /var/lib/kubelet/kubeconfig', '/var/lib/kubelet/kubeconfig'],
    ['kubelet -kubeconfig=/a', '/a'],
    ['kubelet --bootstrap-kubeconfig=/b --kubeconfig=/a', '/a'],
    ['kubelet --config=/a', undefined],
    ['kubelet --kubeconfig', undefined],
    ['/usr/bin/kubelet-check --kubeconfig=/a', undefined],
    ['vi kubelet --kubeconfig=/a', undefined],
    ['', undefined],
  ])('%s', (words, wanted) => {
    expect(kubeconfigOf(words.split(' '))).toBe(wanted)
  })

  test('when it began', () => {
    const fields = Array.from({ length: 50 }, (_, index) => String(index + 3))
    const stat = `42 (a) b (c) ${fields.join(' ')}`
    expect(startOf(stat.replace(' 22 ', ' 500 '), 'cpu 1\nbtime 1000\n')).toBe(1_005_000)
    expect(startOf('', 'btime 1000')).toBeUndefined()
  })

  test('is found in /proc, with all of them where nodes share a kernel', async () => {
    const proc = await mkdtemp(join(tmpdir(), 'proc-'))
    await writeFile(join(proc, 'stat'), 'btime 1000\n')
    const run = async (pid: string, words: string, ticks: number) => {
      await mkdir(join(proc, pid))
      await writeFile(join(proc, pid, 'cmdline'), words.replaceAll(' ', '\0'))
      await writeFile(join(proc, pid, 'stat'), `${pid} (x) ${Array(19).fill('S').join(' ')} ${ticks} 0`)
    }
    expect(findKubelets(proc)).toEqual([])
    await run('7', 'bash -c kubelet', 100)
    await run('42', 'kubelet --kubeconfig=/a', 500)
    expect(findKubelets(proc)).toEqual([{ pid: 42, kubeconfig: '/a', startedMs: 1_005_000 }])
    await run('43', 'kubelet --kubeconfig=/b', 500)
    expect(findKubelets(proc)).toHaveLength(2)
    await rm(proc, { recursive: true })
  })
})

describe('its kubeconfig', () => {
  let folder: string
  let file: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubelet-'))
    file = join(folder, 'kubelet.conf')
    await writeFile(file, text)
    await chmod(file, 0o640)
  })
  afterEach(() => rm(folder, { recursive: true }))

  const late = { startedMs: Number.POSITIVE_INFINITY }
  const change = (wish: string, kubelet = late) => changeOf(wish, readKubeconfigFile(file), kubelet, vip)?.for(file)
  const now = async () => ({
    text: await readFile(file, 'utf8'),
    mode: ((await stat(file)).mode & 0o777).toString(8),
    files: (await readdir(folder)).sort(),
  })
  const before = { text, mode: '640', files: ['kubelet.conf'] }
  const moved = { text: movedText, mode: '640', files: ['kubelet.conf', 'kubelet.conf.karmada-net-before'] }

  test('is moved with a copy beside it, and back again', async () => {
    change('move')?.make()
    expect(await now()).toEqual(moved)
    expect(change('move')).toBeUndefined()
    change('back')?.make()
    expect(await now()).toEqual(before)
    expect(change('back')).toBeUndefined()
  })

  test('is put back where that did not work, either way', async () => {
    const there = change('move')
    there?.make()
    there?.unmake()
    expect(await now()).toEqual(before)
    change('move')?.make()
    const back = change('back')
    back?.make()
    back?.unmake()
    expect(await now()).toEqual(moved)
  })

  test('that a kubelet has not read yet is no reason to stop', async () => {
    change('move')?.make()
    const again = change('move', { startedMs: 0 })
    again?.make()
    expect(await now()).toEqual(moved)
    again?.unmake()
    expect(await now()).toEqual(before)
  })

  test('that is a link, missing or empty is left alone', async () => {
    await symlink(file, join(folder, 'link'))
    expect(() => readKubeconfigFile(join(folder, 'link'))).toThrow('is a link')
    expect(() => readKubeconfigFile(join(folder, 'none'))).toThrow('is not there')
    await writeFile(file, '')
    expect(() => readKubeconfigFile(file)).toThrow('names no API server')
  })
})

describe('what is done about a kubelet', () => {
  const seen = (news: object) => ({ node: 'a', news: { file: '/f', target: { server: old }, ...news } })

  test.each([
    ['one elsewhere', seen({}), 'move'],
    ['one that is there', seen({ target: vip }), 'nothing'],
    ['one that has not read it', seen({ target: vip, unread: true }), 'move'],
    ['one under another name', seen({ target: { ...vip, tlsServerName: 'x' } }), 'move'],
    ['one with a proxy of its own', seen({ target: { server: 'https://127.0.0.1:6444' } }), 'leave'],
    ['one that cannot be read', seen({ target: undefined }), 'leave'],
    ['none', { node: 'a', news: {} }, 'leave'],
    ['one that is not known', { node: 'a', error: 'no image' }, 'leave'],
  ])('there: %s', (_, one, wanted) => {
    expect(judgeMove(one, vip).do).toBe(wanted)
  })

  test.each([
    ['one that was moved', seen({ target: vip, moved: true }), 'back'],
    ['one that was not', seen({}), 'nothing'],
    ['one that leads there by itself', seen({ target: vip }), 'leave'],
    ['none', { node: 'a', news: {} }, 'nothing'],
    ['one that is not known', { node: 'a', error: 'no image' }, 'leave'],
  ])('back: %s', (_, one, wanted) => {
    expect(judgeBack(one, vip).do).toBe(wanted)
  })
})

describe('the pod', () => {
  const job = { node: 'worker-1', target: vip, asked: { nodes: [], imageRegistry: 'mirror.example.com' } }

  test('sees the folder of the kubeconfig and no other, and may nothing', () => {
    const { spec } = kubeletPod({ ...job, do: 'move', file: '/var/lib/kubelet/kubeconfig' }, 300_000)
    const [container] = spec.containers
    expect(spec.nodeName).toBe('worker-1')
    expect(spec.volumes).toEqual([{ name: 'folder', hostPath: { path: '/var/lib/kubelet', type: 'Directory' } }])
    expect(container?.volumeMounts).toEqual([{ name: 'folder', mountPath: '/host/var/lib/kubelet' }])
    expect(container?.args).toContain('--folder=/var/lib/kubelet')
    expect(container?.image).toMatch(/^mirror.example.com\//)
    expect(container?.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    })
    expect(spec.hostNetwork).toBeUndefined()
  })

  test('gives kubelet as long as the command waits, and two minutes at most', () => {
    const patience = (timeoutMs: number) => kubeletPod({ ...job, do: 'move' }, timeoutMs).spec.containers[0]?.args
    expect(patience(40_000)).toContain('--patience-seconds=40')
    expect(patience(300_000)).toContain('--patience-seconds=120')
  })

  test('that looks cannot write', () => {
    expect(kubeletPod({ ...job, do: 'look' }, 300_000).spec.containers[0]?.volumeMounts?.[0]?.readOnly).toBe(true)
  })

  test('has no limit of its time, and its end is not taken for an answer', () => {
    expect(kubeletPod({ ...job, do: 'move' }, 300_000).spec.activeDeadlineSeconds).toBeUndefined()
  })
})

describe('where clients go', () => {
  const settings = (address: string) => readSettings(JSON.stringify({ vip: address, port: 6443 }))
  const server = { host: '10.0.0.1', port: 6443 }

  test('the words', () => {
    expect(parseClients('cluster-info, kubelet')).toEqual(['kubelet', 'cluster-info'])
    expect(() => parseClients('kubelets')).toThrow('"kubelets" is no client')
    expect(() => parseClients('')).toThrow()
  })

  test('by name where certificates are not known to be for the address', () => {
    expect(serverOf(settings('fd00::1'))).toBe('https://[fd00::1]:6443')
    expect(targetFor(settings('198.18.0.1'), [{ server, fits: true }])).toEqual(vip)
    for (const fits of [false, undefined])
      expect(targetFor(settings('198.18.0.1'), [{ server, fits }])).toEqual({ ...vip, tlsServerName: 'kubernetes' })
    expect(targetFor(settings('198.18.0.1'), []).tlsServerName).toBe('kubernetes')
  })

  test.each([
    ['https://127.0.0.1:6444', true],
    ['https://[::1]:6444', true],
    ['https://localhost:6443', true],
    ['https://10.0.0.1:6443', false],
    ['https://api.example.com', false],
    ['nonsense', false],
  ])('%s is the machine itself: %s', (url, wanted) => {
    expect(isLocal(url)).toBe(wanted)
  })
})
