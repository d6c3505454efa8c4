import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { install } from '../../../../src/vip/node/install.ts'
import { uninstall } from '../../../../src/vip/node/uninstall.ts'

/** A host's folders, and an image's. Sysctls are files here as there. */
let root: string
let image: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'vip-host-'))
  image = await mkdtemp(join(tmpdir(), 'vip-image-'))
  await mkdir(join(root, 'run/systemd/system'), { recursive: true })
  for (const name of sysctls) await write(root, `/proc/sys/net/ipv4/vs/${name}`, '0\n')
  await write(image, '/karmada-net/boot-files', '/usr/sbin/ipvsadm\n/lib/libc.so.6\n/lib64/ld-linux-x86-64.so.2\n')
  for (const path of ['/usr/sbin/ipvsadm', '/lib/libc.so.6', '/lib64/ld-linux-x86-64.so.2'])
    await write(image, path, `bytes of ${path}`)
})
afterEach(() => Promise.all([root, image].map(folder => rm(folder, { recursive: true, force: true }))))

const sysctls = ['conntrack', 'expire_nodest_conn', 'expire_quiescent_template']
const vip = { host: '198.18.0.1', port: 6443 }

async function write(folder: string, path: string, content: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), content)
}

const read = (path: string) => readFile(join(root, path), 'utf8')
const run = (loadModules = async () => {}) => install({ root, image, loadModules })

/** Every file and folder of the host but the sysctls. */
const tree = async () => (await readdir(root, { recursive: true })).filter(path => !path.startsWith('proc')).sort()

test('programs, unit, modules and sysctls are there afterwards', async () => {
  const { boot, changed } = await run()
  expect(boot).toBe('systemd')
  expect(await tree()).toEqual(
    expect.arrayContaining(changed.filter(path => !path.startsWith('/proc')).map(path => path.slice(1))),
  )
  expect(await read('/opt/karmada-net/vip/lib/libc.so.6')).toBe('bytes of /lib/libc.so.6')
  expect((await stat(join(root, '/opt/karmada-net/vip/bin/ipvsadm'))).mode & 0o777).toBe(0o755)
  expect(await read('/etc/modules-load.d/karmada-net-vip.conf')).toMatch(/^ip_vs$/m)
  expect(await read('/etc/sysctl.d/90-karmada-net-vip.conf')).toMatch(/^net\/ipv4\/vs\/conntrack = 1$/m)
  expect(await Promise.all(sysctls.map(name => read(`/proc/sys/net/ipv4/vs/${name}`)))).toEqual(['1\n', '1\n', '1\n'])
  expect(JSON.parse(await read('/var/lib/karmada-net/vip/boot.json'))).toEqual({ kind: 'systemd', installed: true })
})

test('a second time nothing changes', async () => {
  await run()
  expect((await run()).changed).toEqual([])
})

test('what somebody changed or an older version left is mended', async () => {
  await run()
  await write(root, '/etc/sysctl.d/90-karmada-net-vip.conf', 'something else\n')
  await write(root, '/opt/karmada-net/vip/lib/libold.so.1', 'old')
  await rm(join(root, '/etc/systemd/system/multi-user.target.wants/karmada-net-vip.service'))
  expect((await run()).changed.sort()).toEqual([
    '/etc/sysctl.d/90-karmada-net-vip.conf',
    '/etc/systemd/system/multi-user.target.wants/karmada-net-vip.service',
    '/opt/karmada-net/vip/lib/libold.so.1',
  ])
})

test('a host without systemd is given no unit', async () => {
  await rm(join(root, 'run/systemd'), { recursive: true })
  expect((await run()).boot).toBe('none')
  expect(await tree()).not.toContain('etc')
  expect(JSON.parse(await read('/var/lib/karmada-net/vip/boot.json'))).toEqual({ kind: 'none', installed: false })
})

test('uninstalled, the host is as it was', async () => {
  await write(root, '/proc/sys/net/ipv4/vs/conntrack', '1\n')
  await write(root, '/opt/other/file', 'of somebody else')
  await write(root, '/etc/systemd/system/multi-user.target.wants/other.service', '')
  await mkdir(join(root, 'etc/modules-load.d'))
  await mkdir(join(root, 'etc/sysctl.d'))
  await mkdir(join(root, 'var/lib'), { recursive: true })
  const before = await tree()
  await run()
  await run()
  expect(await uninstall({ root, vip })).toEqual([])
  expect(await tree()).toEqual(before)
  expect(await Promise.all(sysctls.map(name => read(`/proc/sys/net/ipv4/vs/${name}`)))).toEqual(['1\n', '0\n', '0\n'])
  expect(await uninstall({ root, vip })).toEqual([])
})

test('sysctls that kube-proxy needs as well stay', async () => {
  await run()
  await mkdir(join(root, 'proc/sys/net/ipv4/conf/kube-ipvs0'), { recursive: true })
  await uninstall({ root, vip })
  expect(await read('/proc/sys/net/ipv4/vs/expire_nodest_conn')).toBe('1\n')
})

test('a kernel without IPVS is named', async () => {
  await rm(join(root, 'proc/sys/net/ipv4/vs'), { recursive: true })
  await expect(run()).rejects.toThrow('module ip_vs')
})

test('a file that cannot be written is named by its path on the node', async () => {
  await write(root, '/etc', 'a file where a folder should be')
  await expect(run()).rejects.toThrow('/etc/modules-load.d/karmada-net-vip.conf of the node cannot be written')
})
