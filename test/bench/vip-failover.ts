/**
 * What clients of the virtual IP notice of an API server that vanishes (its packets are dropped) and of one that is killed (it
 * refuses), with the agent's own settings, on a real kernel in a virtual machine: how long until it is out of the table, and the
 * longest that a new connection waited. The bars are 1.5 s and 0.5 s. Its processor is simulated: an idle machine is half the figure.
 *
 *   npx node test/bench/vip-failover.ts [ROUNDS]
 */
import { argv, stdout } from 'node:process'
import { bootVm } from '../vm/boot.ts'
import { ipv4, makeWorld, until, type World } from '../vm/vip/world.ts'

const rounds = Number(argv[2] ?? 3)
const [, second] = ipv4.servers

interface Fault {
  name: string
  /** A shell command on the API servers' machine. */
  break: string
  mend(world: World): Promise<unknown>
}

const order = (mode: string) => `curl -sS -d '{"modes":{"${second}":"${mode}"}}' http://127.0.0.1:9000/`

const faults: Fault[] = [
  {
    name: 'black hole',
    break: `nft add rule inet cut in ip daddr ${second} drop`,
    mend: world => world.onServers(['nft', 'flush', 'chain', 'inet', 'cut', 'in']),
  },
  { name: 'killed', break: order('refuse'), mend: world => world.onServers(['sh', '-c', order('ready')]) },
  { name: 'table flushed', break: '', mend: async () => undefined },
]

/** Milliseconds from the fault to the table without the server, or with everything again: watched where it happens, in one process. */
async function detection(world: World, fault: Fault): Promise<number> {
  const hex = second
    .split('.')
    .map(byte => Number(byte).toString(16).toUpperCase().padStart(2, '0'))
    .join('')
  const flush = fault.break === ''
  const inNode = (command: string) => `nsenter --net=/run/netns/${world.node.name} -- ${command}`
  const gone = flush ? `test "$(grep -c Masq /proc/net/ip_vs)" = 3` : `! grep -q ${hex} /proc/net/ip_vs`
  const act = flush ? 'ipvsadm -C' : `nsenter --net=/run/netns/${world.servers} -- sh -c "$1"`
  const script = `${act}; date +%s%N; until ${gone}; do :; done; date +%s%N`
  const run = await world.vm.exec(['sh', '-c', inNode('sh -c "$0" - "$1"'), script, fault.break])
  const [from, to] = run.stdout.trim().split('\n').slice(-2).map(BigInt) as [bigint, bigint]
  return Number((to - from) / 1_000_000n)
}

await using vm = await bootVm()
const world = await makeWorld(vm, ipv4, {})
await world.onServers([
  'sh',
  '-c',
  'nft add table inet cut; nft "add chain inet cut in { type filter hook input priority 0; }"',
])
await world.startAgent()
await world.becomes('1=1 2=1 3=1')
for (const fault of faults) {
  for (let round = 1; round <= rounds; round++) {
    let detectedMs = 0
    const { fresh, kept } = await world.underRequests(async () => {
      detectedMs = await detection(world, fault)
    }, 250)
    await fault.mend(world)
    await until(() => world.weights(), '1=1 2=1 3=1')
    stdout.write(
      `${fault.name.padEnd(14)} ${(detectedMs / 1000).toFixed(2)} s; longest new connection ${(fresh.longestMs / 1000).toFixed(2)} s, ` +
        `${fresh.errors.length} of ${fresh.ok + fresh.errors.length} failed (${[...new Set(fresh.errors)].join(', ') || '-'}); ` +
        `kept: ${kept.errors.join(', ') || '-'}\n`,
    )
  }
}
const status = await vm.exec(['sh', '-c', `cat /proc/$(cat ${world.folder}/pid)/status`])
stdout.write(`agent: ${/VmRSS:\s+(\d+ kB)/.exec(status.stdout)?.[1]} resident\n`)
