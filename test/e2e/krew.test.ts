import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { ensureComponents } from '../setup/components.ts'
import { createReport } from '../setup/report.ts'
import { attempt, run } from '../setup/run.ts'

const root = join(import.meta.dirname, '../..')
const archive = join(root, `dist/karmada-net_v${packageJson.version}_linux_amd64.tar.gz`)

test('the agent for nodes that no DaemonSet reaches is one executable, too', async () => {
  await run(['npm', 'run', 'package'], { cwd: root })
  const folder = await mkdtemp(join(tmpdir(), 'agent-'))
  try {
    const file = `karmada-net-vip_v${packageJson.version}_linux_amd64.tar.gz`
    await run(['sha256sum', '--check', `${file}.sha256`], { cwd: join(root, 'dist') })
    await run(['tar', '-xzf', join(root, 'dist', file), '-C', folder])
    expect((await readdir(folder)).sort()).toEqual(['LICENSE', 'THIRD-PARTY-LICENSES', 'karmada-net-vip'])
    const program = join(folder, 'karmada-net-vip')
    expect(await attempt([program])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there are run, restore'),
    })
    const status = await attempt([program, 'status', `--state=${folder}`], {
      env: { NODE_OPTIONS: '--require /nowhere.js' },
    })
    expect(status).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: this node has no virtual IP/) })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

/** The real krew and the real kubectl, in a home of their own. */
describe('installed by krew', () => {
  let home: string
  let bin: string
  let env: Record<string, string>

  beforeAll(async () => {
    home = await realpath(await mkdtemp(join(tmpdir(), 'krew-')))
    bin = await ensureComponents(createReport())
    await run(['npm', 'run', 'package'], { cwd: root })
    env = {
      KREW_ROOT: join(home, 'krew'),
      HOME: home,
      // The executable brings its own Node: what the machine has is out of sight.
      PATH: [join(home, 'krew/bin'), bin, '/usr/bin', '/bin'].join(':'),
      KUBECONFIG: join(home, 'no-kubeconfig'),
      KREW_NO_UPGRADE_CHECK: '1',
    }
    // krew uninstalls only where there is an index; an empty one will do.
    await run(['git', 'init', '--quiet', join(home, 'krew/index/default')])
  })

  afterAll(() => rm(home, { recursive: true, force: true }))

  const krew = (...args: string[]) => run(['krew', ...args], { env })
  const kubectl = (...args: string[]) => attempt(['kubectl', ...args], { env })

  test('from the manifest and the archive', async () => {
    const { stderr } = await krew('install', `--manifest=${join(root, 'dist/plugin.yaml')}`, `--archive=${archive}`)
    expect(stderr).toContain('Installed plugin: karmada-net')
    const store = join(home, 'krew/store/karmada-net', `v${packageJson.version}`)
    expect((await readdir(store)).sort()).toEqual(['LICENSE', 'THIRD-PARTY-LICENSES', 'kubectl-karmada_net'])
  })

  test('an archive that was changed is refused', async () => {
    const refused = await attempt(
      ['krew', 'install', `--manifest=${join(root, 'dist/plugin.yaml')}`, '--archive=/bin/sh'],
      {
        env: { ...env, KREW_ROOT: join(home, 'other') },
      },
    )
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('checksum')
  })

  test('kubectl runs it, by either spelling', async () => {
    for (const name of ['karmada-net', 'karmada_net']) {
      const { code, stdout } = await kubectl(name, 'version', '--client')
      expect({ code, stdout }).toEqual({ code: 0, stdout: `Client Version: v${packageJson.version}\n` })
    }
  })

  test("the user's NODE_OPTIONS are not for it", async () => {
    const { code, stderr } = await attempt(['kubectl', 'karmada-net', 'version', '--client'], {
      env: { ...env, NODE_OPTIONS: '--require /nowhere/debugger.js' },
    })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  test('and completes it, once asked to', async () => {
    expect((await kubectl('karmada-net', 'completion', '--install')).code).toBe(0)
    const { stdout } = await kubectl('__complete', 'karmada-net', 'an')
    expect(stdout.split('\n').map(line => line.split('\t')[0])).toContain('anp')
  })

  test('and does so no more once it is told to', async () => {
    const asked = async () => (await kubectl('__complete', 'karmada-net', 'an')).stdout
    const link = join(home, 'krew/bin/kubectl_complete-karmada_net')
    expect((await kubectl('karmada-net', 'completion', '--uninstall')).stdout).toBe(`${link} removed\n`)
    expect(await asked()).not.toContain('anp')
    expect((await kubectl('karmada-net', 'completion', '--uninstall')).stdout).toBe(`${link} is not there\n`)
    expect((await kubectl('karmada-net', 'completion', '--install')).stdout).toBe(`${link} created\n`)
    expect(await asked()).toContain('anp')
  })

  test('krew uninstalls all of it; the link for completion, which krew does not know, does nothing any more', async () => {
    await krew('uninstall', 'karmada-net')
    expect(await readdir(join(home, 'krew/store'))).toEqual([])
    expect(await readdir(join(home, 'krew/receipts'))).toEqual([])
    expect(await readdir(join(home, 'krew/bin'))).toEqual(['kubectl_complete-karmada_net'])
    expect((await kubectl('__complete', 'karmada-net', 'an')).stdout).not.toContain('anp')
    const { code, stderr } = await kubectl('karmada-net', 'version', '--client')
    expect(code).toBe(1)
    expect(stderr).toContain('unknown command "karmada-net"')
  })
})
