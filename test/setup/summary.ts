export interface Counts {
  passed: number
  failed: number
  skipped: number
  /** What failed. */
  names: string[]
}

/** The part of vitest's JSON report that counts. */
interface VitestReport {
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { fullName: string; status: string }[]
  }[]
}

/** Counts a project's tests from vitest's JSON report. A file that failed as a whole, or a run without a report, is one failure. */
export function countTests(project: string, exitCode: number, text: string | undefined): Counts {
  if (text === undefined)
    return { passed: 0, failed: exitCode === 0 ? 0 : 1, skipped: 0, names: exitCode === 0 ? [] : [project] }
  const files = (JSON.parse(text) as VitestReport).testResults
  const tests = files.flatMap(file => file.assertionResults)
  const failed = tests.filter(test => test.status === 'failed').map(test => `${project}: ${test.fullName}`)
  const broken = files
    .filter(file => file.status === 'failed' && !file.assertionResults.some(test => test.status === 'failed'))
    .map(file => `${project}: ${file.name.replace(/.*\/test\//, 'test/')} (${file.message.split('\n')[0]})`)
  const names = [...failed, ...broken]
  // An error outside of any test: vitest ends badly though every test passed.
  if (exitCode !== 0 && names.length === 0) names.push(`${project}: errors outside of tests`)
  const passed = tests.filter(test => test.status === 'passed').length
  return { passed, failed: names.length, skipped: tests.length - passed - failed.length, names }
}

export const sum = (counts: Counts[]): Counts => ({
  passed: counts.reduce((total, { passed }) => total + passed, 0),
  failed: counts.reduce((total, { failed }) => total + failed, 0),
  skipped: counts.reduce((total, { skipped }) => total + skipped, 0),
  names: counts.flatMap(({ names }) => names),
})

export const summary = ({ passed, failed, skipped }: Omit<Counts, 'names'>): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`
