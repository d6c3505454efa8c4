/**
 * How long a start takes next to kubectl's: `--help` and `version --client` of the bundle (`npm run build`) and, where it has
 * been made, of the standalone executable (`npm run package`). The bar is a ratio of 1.
 *
 *   npx node test/bench/startup.ts [ROUNDS]
 */
import { argv } from 'node:process'
import { measure, printTable, type Side } from './paired.ts'
import { withThisNode as env, kubectl, ours } from './programs.ts'

const reference: Side = { name: 'kubectl version --client', command: [kubectl, 'version', '--client'] }
const sides = ours.flatMap(({ name, path }): Side[] => [
  { name: `${name} --help`, command: [path, '--help'], env },
  { name: `${name} version --client`, command: [path, 'version', '--client'], env },
])

const timed = measure([reference, ...sides], Number(argv[2] ?? 25))
const [first] = timed
if (first) printTable(timed, first)
