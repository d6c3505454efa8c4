import { expect, test } from 'vitest'
import { missingPrerequisites } from '../../setup/prerequisites.mjs'
import { createReport, stepLine } from '../../setup/report.ts'
import { countTests, sum, summary } from '../../setup/summary.ts'

const machine = { platform: 'linux', arch: 'x64', uid: 0, node: '20.11.0', has: () => true, go: () => '1.26.2' }

test('a machine with everything lacks nothing', () => expect(missingPrerequisites(machine)).toEqual([]))

test.each([
  [{ node: '18.19.0' }, 'Node.js 20 or newer is needed, this is 18.19.0'],
  [{ has: (program: string) => program !== 'npm' }, 'npm is needed'],
  [{ has: (program: string) => program !== 'apt-get' }, 'apt-get is needed'],
  [{ go: () => undefined }, 'Go 1.26 or newer is needed: install'],
  [{ go: () => '1.25.9' }, 'Go 1.26 or newer is needed, this is 1.25.9'],
  [{ uid: 1000 }, 'root is needed'],
  [{ platform: 'darwin' }, 'Linux on x86_64 is needed; this is darwin'],
])('%o', (difference, line) => {
  const lines = missingPrerequisites({ ...machine, ...difference })
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain(line)
})

const file = (name: string, status: string, tests: string[]) => ({
  name: `/repo/test/unit/${name}`,
  status,
  message: status === 'failed' && tests.length === 0 ? 'SyntaxError: unexpected\n at line 1' : '',
  assertionResults: tests.map(result => ({ fullName: `${name} ${result}`, status: result })),
})
const report = (...testResults: ReturnType<typeof file>[]): string => JSON.stringify({ testResults })

test.each([
  ['all pass', 0, report(file('a', 'passed', ['passed', 'passed'])), [2, 0, 0]],
  ['one fails', 1, report(file('a', 'failed', ['passed', 'failed'])), [1, 1, 0]],
  ['skipped and to do', 0, report(file('a', 'passed', ['passed', 'skipped', 'pending', 'todo'])), [1, 0, 3]],
  ['a file that does not load', 1, report(file('a', 'failed', [])), [0, 1, 0]],
  ['an error outside of tests', 1, report(file('a', 'passed', ['passed'])), [1, 1, 0]],
  ['no report', 1, undefined, [0, 1, 0]],
] as const)('counts: %s', (_, exitCode, text, [passed, failed, skipped]) => {
  const counts = countTests('unit', exitCode, text)
  expect(counts).toMatchObject({ passed, failed, skipped })
  expect(counts.names).toHaveLength(failed)
})

test('the last line of npm test', () => {
  const counts = { passed: 3, failed: 1, skipped: 0, names: ['unit: a'] }
  expect(summary(sum([counts, counts]))).toBe('6 passed, 2 failed, 0 skipped')
})

test('a step becomes a line when it ends, also when it fails', async () => {
  let text = ''
  const steps = createReport({ write: (chunk: string) => (text += chunk) })
  await steps.step('Network', async () => '3 machines')
  await expect(steps.step('Cluster', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(text).toMatch(/^ ✓ Network +0\.0s {3}3 machines\n ✗ Cluster +0\.0s\n$/)
  expect(stepLine('✓', 'Network', 12_340, '')).toMatch(/^ ✓ Network +12\.3s$/)
})
