import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import unit from '../../../../manifests/vip/karmada-net-vip.service'
import restore from '../../../../manifests/vip/restore.sh'
import { attempt, run } from '../../../setup/run.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vip-boot-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function write(path: string, content: string, mode = 0o644): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), content)
  await chmod(join(folder, path), mode)
}

/** The script in folders of its own. Its loader writes down what it was asked to run, and with which input. */
async function boot(): Promise<{ code: number; asked: string[] }> {
  const script = restore
    .replaceAll('/opt/karmada-net/vip', join(folder, 'opt'))
    .replaceAll('/var/lib/karmada-net/vip', join(folder, 'state'))
    .replaceAll('/proc/sys', join(folder, 'sys'))
  await write('restore', script)
  await write('bin/modprobe', `#!/bin/sh\necho "modprobe $*" >>${folder}/asked\n`, 0o755)
  await write(
    'opt/lib/ld-linux-x86-64.so.2',
    `#!/bin/sh
echo "$3 $4 $5 $6 $7" | sed 's#.*/bin/##; s# *$##' >>${folder}/asked
case "$*" in
  *-Ln*) exit "$(cat ${folder}/has-rules 2>/dev/null || echo 1)" ;;
  *-R*) cat >>${folder}/asked ;;
esac
`,
    0o755,
  )
  await write('opt/modules', 'ip_vs\nnf_conntrack\n')
  await write('opt/sysctls', 'net/ipv4/vs/conntrack = 1\n')
  await write('sys/net/ipv4/vs/conntrack', '0\n')
  const { code } = await attempt(['sh', join(folder, 'restore')], { env: { PATH: `${folder}/bin:/usr/bin:/bin` } })
  const asked = (await readFile(join(folder, 'asked'), 'utf8').catch(() => '')).trim().split('\n')
  return { code, asked }
}

const rules = '-A -t 198.18.0.1:6443 -s lc\n-a -t 198.18.0.1:6443 -r 10.0.0.1:6443 -m -w 1\n'

test('modules, sysctls, rules and route are put back in this order', async () => {
  await write('state/rules', rules)
  await write('state/route', 'route replace local 198.18.0.1/32 dev lo src 10.0.0.9\n')
  const { code, asked } = await boot()
  expect({ code, asked }).toEqual({
    code: 0,
    asked: [
      'modprobe -q ip_vs',
      'modprobe -q nf_conntrack',
      'ipvsadm -Ln -t 198.18.0.1:6443',
      'ipvsadm -R',
      ...rules.trim().split('\n'),
      `ip -batch ${folder}/state/route`,
    ],
  })
  expect(await readFile(join(folder, 'sys/net/ipv4/vs/conntrack'), 'utf8')).toBe('1\n')
})

test('rules that are there are newer', async () => {
  await write('state/rules', rules)
  await write('has-rules', '0')
  expect((await boot()).asked).not.toContain('ipvsadm -R')
})

test('a node that never had them is left alone', async () => {
  expect(await boot()).toEqual({ code: 0, asked: [''] })
})

test('systemd has nothing to say against the unit', async () => {
  await write('karmada-net-vip.service', unit)
  const { stdout, stderr } = await run(['systemd-analyze', 'verify', join(folder, 'karmada-net-vip.service')])
  expect(stdout + stderr).toBe('')
})
