/**
 * What clients of a node notice of an API server that vanishes (its packets are dropped) and of one that is killed (it refuses):
 * by the virtual IP, by HAProxy and by nginx as kubespray sets them up on nodes, one after the other on one node with a kernel of its
 * own; and of the kernel's table being flushed. API servers and clients are on machines beside it. The bars of the virtual IP are 1.5 s,
 * 0.5 s and 0.5 s. The node's processor is simulated: what its programs do takes many times as long as on a real one.
 *
 *   npx node test/bench/vip-failover.ts [ROUNDS] [CONTENDER...]
 *
 * KARMADA_NET_SANDBOX names a sandbox with such a node that is up already.
 */
import { availableParallelism, loadavg } from 'node:os'
import { argv, stdout } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { openWorld } from '../e2e/plugin.ts'
import type { LoadRequest, LoadTally } from '../e2e/vip/load.ts'
import { provideVmSandbox } from '../e2e/vip/setup.ts'
import { isGone, isThere, untilTable } from '../e2e/vip/table.ts'
import { underLoad } from '../e2e/vip/under-load.ts'
import { type Contender, contenders } from './vip/contenders.ts'

const rounds = Number(argv[2] ?? 1)
const names = argv.slice(3)
const vip = '198.18.0.1'
const perSecond = 100
/** How long clients are watched before and after a fault. */
const [beforeMs, afterMs] = [5000, 45_000]

const remove = await provideVmSandbox('bench-vip')
const world = await openWorld()
const vm = world.sandbox.vm('vm1')
const servers = [1, 2, 3].map(number => world.sandbox.apiServer(number))
/** One that nothing but clients depends on. */
const victim = world.sandbox.apiServer(2)

interface Fault {
  name: string
  befall(): Promise<unknown>
  mend(): Promise<unknown>
  /** Until then: in the kernel's table alone. */
  mended?: string
}

const flushed = untilTable(isGone(vip))
const complete = untilTable([vip, ...servers.map(({ address }) => address)].map(isThere).join(' && '))
const faults: Fault[] = [
  { name: 'black hole', befall: victim.blackHole, mend: victim.heal },
  { name: 'killed', befall: () => victim.stop('SIGKILL'), mend: victim.start },
  {
    name: 'flushed',
    // The moment is that of the table, not that of the program.
    befall: () => Promise.all([vm.exec(['ipvsadm', '-C']), vm.exec(['bash', '-c', flushed])]),
    mend: async () => undefined,
    mended: complete,
  },
]

interface Outcome {
  fromMs: number
  removedMs: number | undefined
  tally: LoadTally
}

async function run(contender: Contender, fault: Fault): Promise<Outcome> {
  await contender.start()
  let fromMs = 0
  let untilMs: number | undefined
  const script = fault.mended ?? contender.removed?.(victim.address)
  try {
    const tally = await underLoad(world, { ...contender, perSecond }, async () => {
      await sleep(beforeMs)
      const watching = fault.mended ? undefined : look(script)
      // It has begun to look.
      await sleep(1500)
      await fault.befall()
      fromMs = Date.now()
      void (watching ?? look(script)).then(at => {
        untilMs = at
      })
      await sleep(fault.mended ? 10_000 : afterMs)
    })
    return { fromMs, removedMs: untilMs && Math.max(0, untilMs - fromMs), tally }
  } finally {
    if (fromMs > 0) await fault.mend()
    await contender.stop()
  }
}

/** When the script came to its end. */
async function look(script: string | undefined): Promise<number | undefined> {
  if (script === undefined) return undefined
  const { code } = await vm.attempt(['timeout', '-s', 'KILL', String(afterMs / 1000), 'bash', '-c', script])
  return code === 0 ? Date.now() : undefined
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`

function kinds(failed: LoadRequest[]): string {
  const by = Map.groupBy(failed, ({ error }) => error ?? '')
  return [...by].map(([error, all]) => `${all.length} ${error}`).join(', ')
}

/** Who ended after the fault, and what was usual before. */
function describe({ fromMs, removedMs, tally: { requests } }: Outcome): string[] {
  const isAfter = ({ atMs, tookMs }: LoadRequest) => atMs + tookMs >= fromMs
  const usual = requests.filter(request => request.fresh && !isAfter(request)).map(({ tookMs }) => tookMs)
  const usualMs = usual.toSorted((a, b) => a - b)[Math.floor(usual.length / 2)] ?? 0
  const after = requests.filter(isAfter)
  const [fresh, kept] = [after.filter(({ fresh }) => fresh), after.filter(({ fresh }) => !fresh)]
  const [failedFresh, failedKept] = [fresh, kept].map(all => all.filter(({ error }) => error !== undefined)) as [
    LoadRequest[],
    LoadRequest[],
  ]
  const harmed = after.filter(({ tookMs, error }) => error !== undefined || tookMs > usualMs + 800)
  const longest = (all: LoadRequest[]) => seconds(Math.max(0, ...all.map(({ tookMs }) => tookMs)))
  const failures = (failed: LoadRequest[], all: LoadRequest[]) =>
    `${failed.length} of ${all.length}${failed.length === 0 ? '' : `: ${kinds(failed)}`}`
  return [
    removedMs === undefined ? '-' : seconds(removedMs),
    `${longest(fresh)} (${seconds(usualMs)})`,
    failures(failedFresh, fresh),
    longest(kept),
    failures(failedKept, kept),
    harmed.length === 0 ? '-' : seconds(Math.max(0, ...harmed.map(({ atMs }) => atMs - fromMs))),
  ]
}

const print = (...cells: string[]) => {
  const widths = [10, 8, 8, 19, 34, 12, 38]
  stdout.write(
    `${cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd()}\n`,
  )
}

/** All three are back. */
async function ready(): Promise<void> {
  await vm.exec(['bash', '-c', complete], { timeoutMs: 240_000 })
}

try {
  await compare()
} finally {
  await remove()
}

async function compare(): Promise<void> {
  const up = await world.karmadaNet(`vip up --vip ${vip} --nodes kubernetes.io/hostname=vm1 --context host`, {
    timeoutMs: 400_000,
  })
  if (up.code !== 0) throw new Error(up.stderr)
  stdout.write(
    `${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}; ${perSecond} requests/s on 20 kept connections, one in 20 on a new one; ` +
      `${afterMs / 1000} s watched, no answer after 10 s\n`,
  )
  print(
    'fault',
    'by',
    'out',
    'longest new (usual)',
    'new that failed',
    'longest kept',
    'kept that failed',
    'harm until',
  )
  for (let round = 1; round <= rounds; round++) {
    for (const fault of faults) {
      for (const contender of contenders(vm, vip, servers)) {
        if (fault.mended && contender.name !== 'vip') continue
        if (names.length > 0 && !names.includes(contender.name)) continue
        await ready()
        print(fault.name, contender.name, ...describe(await run(contender, fault)))
      }
    }
  }
  stdout.write(`load ${loadavg()[0]?.toFixed(1)}\n`)
}
