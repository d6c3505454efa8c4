/**
 * `contexts` asks every context of a kubeconfig; how long does that take next to one `kubectl get` against the slowest of them?
 * The bar is a ratio of 1.5. Needs a running sandbox; contexts that kubectl cannot reach are left to the plugin alone. ROUND_TRIP
 * milliseconds put the servers as far away as real ones are; without, they are on this machine and share its processors.
 *
 *   npx node test/bench/contexts.ts KUBECONFIG [ROUND_TRIP] [ROUNDS]
 */
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argv, exit, stderr } from 'node:process'
import { putAfar } from './distance.ts'
import { measure, median, printTable, type Side } from './paired.ts'
import { kubectl, ours, withThisNode } from './programs.ts'

const kubeconfig = argv[2]
if (!kubeconfig) {
  stderr.write('error: the path of a kubeconfig is missing\n')
  exit(1)
}
const roundTripMs = Number(argv[3] ?? 0)
const folder = await mkdtemp(join(tmpdir(), 'karmada-net-bench-'))
const copy = join(folder, 'kubeconfig')
const end = roundTripMs > 0 ? await putAfar(await readFile(kubeconfig, 'utf8'), roundTripMs, copy) : undefined
const env = { ...withThisNode, KUBECONFIG: end ? copy : kubeconfig }
const answer = (args: string[]) => spawnSync(kubectl, args, { env, encoding: 'utf8' })

const get = (context: string) => ['--context', context, 'get', 'namespace', 'kube-system', '--request-timeout=5s']
const contexts = answer(['config', 'get-contexts', '-o', 'name']).stdout.split('\n').filter(Boolean)
const reachable = contexts.filter(context => answer(get(context)).status === 0)
stderr.write(`${contexts.length} contexts, kubectl reaches ${reachable.length}; round trip ${roundTripMs} ms\n`)

const references = reachable.map(
  (context): Side => ({ name: `kubectl get, ${context}`, command: [kubectl, ...get(context)], env }),
)
const sides = ours.map(({ name, path }): Side => ({ name: `${name} contexts`, command: [path, 'contexts'], env }))
const timed = measure([...references, ...sides], Number(argv[4] ?? 15))

const [slowest] = timed.slice(0, references.length).sort((a, b) => median(b.times) - median(a.times))
if (slowest) printTable(timed, slowest)
await end?.()
await rm(folder, { recursive: true })
