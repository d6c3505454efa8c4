import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import process, { env, execPath, stderr, stdout } from 'node:process'
import { ensureVmParts } from '../vm/parts.ts'
import { cacheDir } from './cache.ts'
import { prepare } from './prepare.ts'
import { createReport, type Report } from './report.ts'
import { attempt } from './run.ts'
import { type Counts, countTests, sum, summary } from './summary.ts'

const root = join(import.meta.dirname, '../..')
const results = join(cacheDir, 'test-results')
const program = (name: string): string => join(root, 'node_modules/.bin', name)

/** Each is one program; it failed when it says so. */
const checks: Record<string, string[]> = {
  lint: ['biome', 'check', '--error-on-warnings', '.'],
  types: ['tsc', '--noEmit'],
  'unused code': ['knip'],
}

async function check(name: string, [tool = '', ...args]: string[], report: Report): Promise<Counts> {
  try {
    await report.step(name, async () => {
      const {
        code,
        stdout: said,
        stderr: saidToo,
      } = await attempt([program(tool), ...args], { cwd: root, env: withNode })
      if (code !== 0) throw new Error(`${said}${saidToo}`.trim())
    })
    return { passed: 1, failed: 0, skipped: 0, names: [] }
  } catch (error) {
    report.say(error instanceof Error ? error.message : String(error))
    return { passed: 0, failed: 1, skipped: 0, names: [name] }
  }
}

/** One of vitest's projects. Its own output goes straight to the terminal, or, of one `beside` another, there when it is over. */
async function tests(project: string, { beside = '' } = {}): Promise<Counts> {
  stderr.write(`\n${project} tests${beside && `, shown when they are over, beside those of ${beside}`}\n`)
  const file = join(results, `${project}.json`)
  await rm(file, { force: true })
  const run = await attempt(
    [
      ...[program('vitest'), 'run', '--config', 'test/vitest.config.ts', '--project', project, '--passWithNoTests'],
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
    ],
    { cwd: root, env: withNode, inherit: !beside },
  )
  stderr.write(run.stdout + run.stderr)
  const report = await readFile(file, 'utf8').catch(() => undefined)
  return countTests(project, run.code, report)
}

/** vitest and the rest start `node` by name: it is to be the project's. */
const withNode = { PATH: `${join(execPath, '..')}:${env['PATH']}` }

async function main(): Promise<Counts> {
  await mkdir(results, { recursive: true })
  const report = createReport()
  const counts: Counts[] = []
  for (const [name, command] of Object.entries(checks)) counts.push(await check(name, command, report))
  counts.push(await tests('unit'))
  stderr.write('\nsandbox\n')
  await prepare(report)
  await ensureVmParts(report)
  // One has a virtual machine of its own and half a processor to spare, the other waits for etcd most of the time.
  counts.push(...(await Promise.all([tests('etcd'), tests('vm', { beside: 'etcd' })])))
  counts.push(await tests('e2e'))
  counts.push(await tests('vip'))
  return sum(counts)
}

try {
  const counts = await main()
  const skippedMatters = env['CI'] === 'true' && counts.skipped > 0
  if (counts.names.length > 0) stdout.write(`\nFailed:\n${counts.names.map(name => `  ${name}\n`).join('')}`)
  if (skippedMatters) stdout.write('\nTests were skipped; in CI nothing may be.\n')
  stdout.write(`\n${summary(counts)}\n`)
  process.exitCode = counts.failed > 0 || skippedMatters ? 1 : 0
} catch (error) {
  stderr.write(`error: ${error instanceof Error ? error.message : error}\n`)
  stdout.write(`\n${summary({ passed: 0, failed: 1, skipped: 0 })}\n`)
  process.exitCode = 1
}
