import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { filesOf, type NodeState, readBoot, readState, writeFiles } from '../../../../src/vip/node/state.ts'
import { readSettings } from '../../../../src/vip/settings.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'karmada-net-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const settings = readSettings(JSON.stringify({ vip: '198.18.0.1', port: 6443 }))
const servers = ['10.0.0.1:6443', '10.0.0.2:6443']
const state: NodeState = {
  settings: { settings, mounted: 'abc' },
  servers: { discovered: servers, seen: '2026-01-01T00:00:00.000Z' },
}

test('what is written is read again, and stands as a boot needs it', async () => {
  const files = filesOf(state, servers, '10.0.0.9')
  expect(await writeFiles(join(folder, 'new'), files)).toEqual(['settings.json', 'servers.json', 'rules', 'route'])
  expect(readState(join(folder, 'new'))).toEqual(state)
  expect(readFileSync(join(folder, 'new/rules'), 'utf8')).toBe(
    [
      '-A -t 198.18.0.1:6443 -s lc',
      '-a -t 198.18.0.1:6443 -r 10.0.0.1:6443 -m -w 1',
      '-a -t 198.18.0.1:6443 -r 10.0.0.2:6443 -m -w 1',
      '',
    ].join('\n'),
  )
  expect(readFileSync(join(folder, 'new/route'), 'utf8')).toBe(
    'route replace local 198.18.0.1/32 dev lo src 10.0.0.9\n',
  )
})

test('what is so already is not written', async () => {
  await writeFiles(folder, filesOf(state, servers, '10.0.0.9'))
  const before = statSync(join(folder, 'rules')).ino
  expect(await writeFiles(folder, filesOf(state, servers, '10.0.0.8'))).toEqual(['route'])
  expect(statSync(join(folder, 'rules')).ino).toBe(before)
  expect(readdirSync(folder).sort()).toEqual(['route', 'rules', 'servers.json', 'settings.json'])
})

test('rules are not overwritten by nobody', () => {
  expect([...filesOf(state, [], undefined).keys()]).toEqual(['settings.json', 'servers.json'])
})

test('what cannot be read counts as forgotten', () => {
  writeFileSync(join(folder, 'settings.json'), '{"vip": "198.1')
  writeFileSync(join(folder, 'servers.json'), '{"discovered": ["10.0.0.1:6443", "nonsense", 7], "seen": "x"}')
  expect(readState(folder)).toEqual({ servers: { discovered: ['10.0.0.1:6443'], seen: 'x' } })
  expect(readState(join(folder, 'nowhere'))).toEqual({})
})

test('a folder that cannot be written is an error', async () => {
  writeFileSync(join(folder, 'file'), '')
  await expect(writeFiles(join(folder, 'file/x'), filesOf(state, servers, undefined))).rejects.toThrow('ENOTDIR')
})

test.each([
  ['{"kind":"systemd","installed":true}', { kind: 'systemd', installed: true }],
  ['{"kind":"none","installed":false}', { kind: 'none', installed: false }],
  ['{', { kind: 'none', installed: false }],
])('the installation left %s', (text, wanted) => {
  writeFileSync(join(folder, 'boot.json'), text)
  expect(readBoot(folder)).toEqual(wanted)
})
