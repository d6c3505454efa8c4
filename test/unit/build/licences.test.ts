import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundle } from '../../../src/build/bundle.ts'
import { bundledFolders, licencesText, readLicensed, thirdParties } from '../../../src/build/licences.ts'
import { baseVersion } from '../../../src/build/node.ts'

describe('the bundle that is shipped', () => {
  test('comes with the licence of each of its packages, and of Node', async () => {
    const { metafile } = await bundle({})
    const all = await thirdParties(metafile)
    expect(all[0]).toMatchObject({ name: 'Node.js', version: await baseVersion() })
    // What Node itself contains has its licence in there.
    expect(all[0]?.text).toMatch(/^Node\.js is licensed for use as follows:[\s\S]*OpenSSL[\s\S]*V8/)
    const names = all.slice(1).map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['@kubernetes/client-node', 'js-yaml', 'node-forge', 'ws']))
    expect(names).toHaveLength(bundledFolders(metafile).length)
    for (const { name, text } of all) {
      expect({ name, text }).toEqual({
        name,
        text: expect.stringMatching(/permi(t|ssion)|Apache License|redistribut/i),
      })
      expect(licencesText('kubectl-karmada_net', all)).toContain(text)
    }
    expect(licencesText('kubectl-karmada_net', await thirdParties(metafile))).toBe(
      licencesText('kubectl-karmada_net', all),
    )
  }, 60_000)
})

test('of packages within packages each counts, and of none twice; what left no byte does not', () => {
  const inputs = (...files: string[]) => ({
    imports: [],
    exports: [],
    bytes: 1,
    inputs: Object.fromEntries(files.map(file => [file, { bytesInOutput: file.endsWith('types.js') ? 0 : 7 }])),
  })
  const outputs = {
    'dist/main.js': inputs(
      'src/main.ts',
      'node_modules/yargs/parser.js',
      'node_modules/jose/types.js',
      'emptied:nothing',
    ),
    'dist/a.js': inputs(
      'node_modules/@kubernetes/client-node/dist/config.js',
      'node_modules/yargs/lib/node_modules.js',
      'node_modules/@kubernetes/client-node/node_modules/ws/index.js',
    ),
  }
  expect(bundledFolders({ inputs: {}, outputs })).toEqual([
    'node_modules/@kubernetes/client-node',
    'node_modules/@kubernetes/client-node/node_modules/ws',
    'node_modules/yargs',
  ])
})

describe('a package', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'karmada-net-licences-'))
    await writeFile(join(folder, 'package.json'), '{ "name": "left", "version": "1.2.3", "license": "MIT" }')
    await writeFile(join(folder, 'NOTICE.txt'), 'Made by many.\n')
    await writeFile(join(folder, 'license-check.js'), '')
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('without a text of its licence is refused, whatever its package.json says', async () => {
    await expect(readLicensed(folder)).rejects.toThrow('left 1.2.3 brings no text of its licence')
  })

  test('has its notices, too', async () => {
    await writeFile(join(folder, 'LICENCE.md'), 'Do as you like.\r\nAmen.\r\n')
    const read = await readLicensed(folder)
    expect(read).toEqual({ name: 'left', version: '1.2.3', text: 'Do as you like.\nAmen.\n\nMade by many.' })
    expect(licencesText('kubectl-karmada_net', [read])).toMatch(
      /software of others.*\n\n=+\nleft 1\.2\.3\n=+\n\nDo as you like\.\n/,
    )
  })
})
