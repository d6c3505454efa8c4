import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bootFiles } from '../../../../src/vip/node/boot-files.ts'
import { readBoot, readState } from '../../../../src/vip/node/state.ts'
import { nodeFolder } from '../../../../src/vip/render/folder.ts'
import { settingsFrom } from '../../../../src/vip/render/settings.ts'
import { writeFolder } from '../../../../src/vip/render/write.ts'
import { run } from '../../../setup/run.ts'

const render = (vip: string, servers: string) =>
  nodeFolder(settingsFrom({ vip, servers, port: undefined, scheduler: undefined, tlsServerName: undefined }))
const files = render('198.18.0.1', '10.0.0.1:6443,10.0.0.2:6443')

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vip-render-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a node gets what an agent would give it, and an agent that comes later reads it', async () => {
  await writeFolder(folder, files, false)
  const content = new Map(files.map(file => [file.path, file.content]))
  for (const file of bootFiles('systemd')) expect(content.get(`files${file.path}`)).toBe(file.content)
  expect(content.get('files/var/lib/karmada-net/vip/rules')).toBe(`-A -t 198.18.0.1:6443 -s lc
-a -t 198.18.0.1:6443 -r 10.0.0.1:6443 -m -w 1
-a -t 198.18.0.1:6443 -r 10.0.0.2:6443 -m -w 1
`)
  const state = join(folder, 'files/var/lib/karmada-net/vip')
  expect(readState(state).settings?.settings).toMatchObject({
    vip: '198.18.0.1',
    staticServers: ['10.0.0.1:6443', '10.0.0.2:6443'],
  })
  expect(readBoot(state)).toEqual({ kind: 'systemd', installed: true })
})

test('the README names this address, of either family', () => {
  const readme = (all: typeof files) => all.find(({ path }) => path === 'README.md')?.content
  expect(readme(files)).toContain('ipvsadm -Ln -t 198.18.0.1:6443\ncurl -k https://198.18.0.1:6443/livez')
  expect(readme(files)).toContain('excludeCIDRs: [198.18.0.1/32]')
  const six = readme(render('fd00::1', '[fd10::1]:6443'))
  expect(six).toContain('curl -k https://[fd00::1]:6443/livez')
  expect(six).toContain('excludeCIDRs: [fd00::1/128]')
})

test.each(['install.sh', 'uninstall.sh', 'files/opt/karmada-net/vip/restore'])('a shell can read %s', async path => {
  await writeFolder(folder, files, false)
  expect((await run(['sh', '-n', join(folder, path)])).stderr).toBe('')
  expect((await stat(join(folder, path))).mode & 0o777).toBe(0o755)
})

describe('a folder that is there', () => {
  test('is left alone where it is so already, also after a run that was cut off', async () => {
    expect(await writeFolder(folder, files, false)).toHaveLength(files.length)
    expect(await writeFolder(folder, files, false)).toEqual([])
    await rm(join(folder, 'README.md'))
    await writeFile(join(folder, 'README.md.new'), '# 198')
    expect(await writeFolder(folder, files, false)).toEqual(['README.md'])
    expect(await writeFolder(folder, files, false)).toEqual([])
  })

  test.each([
    ['install.sh', 'is there with other content'],
    ['files/etc/passwd', 'is there, and none of ours'],
  ])('and has another %s is refused, unless told otherwise', async (path, why) => {
    await writeFolder(folder, files, false)
    await writeFile(join(folder, path), 'mine', { flag: 'w' })
    await rm(join(folder, 'README.md'))
    await expect(writeFolder(folder, files, false)).rejects.toThrow(`${join(folder, path)} ${why}`)
    await expect(stat(join(folder, 'README.md'))).rejects.toThrow('ENOENT')

    await writeFolder(folder, files, true)
    const ours = files.find(file => file.path === path)?.content
    expect(await readFile(join(folder, path), 'utf8')).toBe(ours ?? 'mine')
  })

  test('and is a file is refused', async () => {
    await writeFile(join(folder, 'file'), '')
    await expect(writeFolder(join(folder, 'file'), files, false)).rejects.toThrow('is a file')
  })
})
