import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { imageArchive } from '../../src/build/image/archive.ts'
import { ownSpec } from '../../src/build/image/own.ts'
import { version } from '../../src/build/node.ts'
import { attempt, run } from '../setup/run.ts'
import { type UnpackedImage, unpackImage } from '../setup/unpacked-image.ts'

let image: UnpackedImage
beforeAll(async () => {
  image = await unpackImage(await ownSpec())
}, 120_000)
afterAll(() => image?.[Symbol.asyncDispose]())

const inside = (...command: string[]) => attempt(['chroot', image.root, ...command])

test('its name is the one that manifests ask for', async () => {
  expect(image.manifest.RepoTags).toEqual([`ghcr.io/karmada-net/karmada-net:v${await version()}`])
})

test.each([
  [['/usr/local/bin/node', '--version'], /^v24\./],
  // It asks the kernel before it says anything.
  [['/usr/sbin/ipvsadm', '--version'], /^(ipvsadm v1\.|Can't initialize ipvs: )/],
  [['/sbin/ip', '-V'], /^ip utility/],
  [['/usr/local/bin/kubectl-karmada_net', 'version', '--client'], /^Client Version: v/],
  [['/usr/local/bin/node', '/karmada-net/vip.js'], /^error: no such verb/],
])('%s runs with nothing but the image', async (command, said) => {
  const { stdout, stderr } = await inside(...command)
  expect(stdout || stderr).toMatch(said)
})

test('there is no shell in it', async () => {
  const folders = ['bin', 'sbin', 'usr/bin', 'usr/sbin', 'usr/local/bin']
  const programs = await Promise.all(folders.map(each => readdir(join(image.root, each)).catch(() => [])))
  expect(programs.flat().sort()).toEqual(['ip', 'ipvsadm', 'kubectl-karmada_net', 'node'])
})

test('the licences of all that is in it are in it', async () => {
  const text = async (path: string) => (await run(['cat', join(image.root, 'usr/share/doc', path)])).stdout
  for (const debian of ['ipvsadm', 'iproute2', 'libc6'])
    expect(await text(`${debian}/copyright`)).toMatch(/licen[cs]e/i)
  expect(await text('karmada-net/LICENSE')).toContain('Apache License')
  const others = await text('karmada-net/THIRD-PARTY-LICENSES')
  for (const name of ['Node.js', 'yargs-parser']) expect(others).toContain(`\n${name} `)
})

test('what a node needs at its boot is listed, and is there', async () => {
  const listed = (await run(['cat', join(image.root, 'karmada-net/boot-files')])).stdout.trim().split('\n')
  expect(listed).toEqual(expect.arrayContaining(['/usr/sbin/ipvsadm', '/sbin/ip']))
  await run(['ls', '-d', ...listed.map(path => join(image.root, path))])
})

test('made again it has the same bytes', async () => {
  const digests = async () => (await run(['sha256sum'], { input: imageArchive(await ownSpec()) })).stdout
  expect(await digests()).toBe(await digests())
})
