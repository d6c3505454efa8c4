import process, { env, stderr, stdout } from 'node:process'
import { openSandbox, type Sandbox } from '../sandbox/index.ts'
import { emptyShape } from '../sandbox/plan.ts'
import { installPlugin } from '../sandbox/plugin.ts'
import { up } from '../sandbox/up.ts'
import { createReport } from './report.ts'

/** The user's problem in one command: it asks every member. */
const question = ['karmadactl', '--karmada-context', 'karmada', 'get', 'pods', '-A', '--operation-scope=members']
const plugin = ['kubectl', 'karmada-net']

/** Runs a command before the user's eyes. Resolves with its exit code. */
async function show(sandbox: Sandbox, folder: string, command: string[], timeoutMs?: number): Promise<number> {
  stdout.write(`\n$ ${command.join(' ')}\n`)
  const { code } = await sandbox.attempt(command, {
    inherit: true,
    timeoutMs,
    env: { PATH: `${folder}:${sandbox.bin}:${env['PATH']}` },
  })
  return code
}

async function main(): Promise<number> {
  const report = createReport()
  await up('default', { ...emptyShape, hosts: 1, pull: 2 }, report)
  const sandbox = await openSandbox('default')
  const folder = await report.step('Plugin', () => installPlugin(sandbox))

  stdout.write('\nTwo pull-mode members behind NAT, with the same addresses. Karmada cannot dial them:\n')
  await show(sandbox, folder, ['kubectl', '--context', 'karmada', 'get', 'clusters'])
  const asked = performance.now()
  const before = await show(sandbox, folder, question, 90_000)
  stdout.write(`(exit code ${before} after ${((performance.now() - asked) / 1000).toFixed(0)}s)\n`)

  stdout.write('\nThe main job:\n')
  await show(sandbox, folder, [...plugin, 'contexts'])
  const code = await show(sandbox, folder, [...plugin, 'anp', 'up', '--all'])
  if (code !== 0) return code

  stdout.write('\nThe same question again:\n')
  const after = await show(sandbox, folder, question)
  stdout.write(`
The sandbox stays up (${report.elapsed().toFixed(0)}s). To go on:
  export KUBECONFIG=${sandbox.kubeconfig} PATH=${folder}:${sandbox.bin}:$PATH
  kubectl karmada-net anp status
  kubectl karmada-net anp verify
  kubectl karmada-net anp down --all
  npm run sandbox -- down
`)
  return after
}

try {
  process.exitCode = await main()
} catch (error) {
  stderr.write(`error: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
