/**
 * What the agent of the virtual IP takes of a node when nothing happens: memory, and processor time with its own virtual server alone and
 * beside those of many Services. The bars are 60 MB and 1 % of a core. The virtual machine's processor is simulated: a piece of work
 * like the agent's is timed on both, and the figure divided by what lies between them.
 *
 *   npx node test/bench/vip-agent.ts [SECONDS]
 */
import { availableParallelism, loadavg } from 'node:os'
import { argv, stdout } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { nodeFlags } from '../../src/build/agents.ts'
import { run } from '../setup/run.ts'
import { bootVm } from '../vm/boot.ts'
import { ipv4, makeWorld, node, until } from '../vm/vip/world.ts'

const seconds = Number(argv[2] ?? 120)
const services = 1000

/** Files of /proc, a socket, some text: processor time in microseconds. */
const work = `const { readFileSync } = require('node:fs'), { connect, createServer } = require('node:net')
const server = createServer(socket => socket.on('error', () => {})).listen(0, '127.0.0.1', async () => {
  const once = () => new Promise(done => {
    for (let i = 0; i < 4; i++) readFileSync('/proc/self/net/dev', 'latin1').split('\\n').map(line => /^ *(\\S+): *(\\d+)/.exec(line))
    const socket = connect(server.address().port, '127.0.0.1', () => { socket.resetAndDestroy(); setTimeout(done, 1) })
  })
  for (let i = 0; i < 50; i++) await once()
  const before = process.cpuUsage()
  for (let i = 0; i < 300; i++) await once()
  const { user, system } = process.cpuUsage(before)
  process.stdout.write(String(user + system), () => process.exit())
})`

await using vm = await bootVm({ memoryMiB: 2048 })
const world = await makeWorld(vm, ipv4, { scheduler: 'lc', staticServers: [`${ipv4.servers[0]}:6443`] })
const there = Number((await vm.exec([vm.hostPath(node), ...nodeFlags, '-e', work])).stdout)
const here = Number((await run([node, ...nodeFlags, '-e', work])).stdout)
const factor = there / here
stdout.write(
  `${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}; the simulated one takes ${factor.toFixed(1)} times as long\n`,
)

await world.startAgent()
await until(() => world.weights(), '1=1 2=1 3=1')
await measure('alone')
const lines = Array.from({ length: services }, (_, index) => {
  const service = `-t 10.96.${index >> 8}.${index & 255}:443`
  const server = (last: number) => `-a ${service} -r 10.244.${index >> 8}.${last}:8443 -m -w 1`
  return [`-A ${service} -s rr`, server(1), server(2), server(3)].join('\n')
})
await vm.exec(['nsenter', `--net=/run/netns/${world.node.name}`, 'ipvsadm', '-R'], { input: `${lines.join('\n')}\n` })
await measure(`beside ${services} Services`)
stdout.write(`load ${loadavg()[0]?.toFixed(1)}\n`)

/** After it has come to rest. */
async function measure(how: string): Promise<void> {
  await sleep(15_000)
  const before = await ticks()
  await sleep(seconds * 1000)
  const after = await ticks()
  const share = (after.ticks - before.ticks) / (after.uptime - before.uptime)
  const percent = (part: number) => `${part.toFixed(2)} %`
  stdout.write(
    `${how}: ${after.memory} resident (at most ${after.most}), of which ${after.own} are not Node's program; ${percent(share)} of the simulated core, about ${percent(share / factor)} of this machine's\n`,
  )
}

/** Of the agent: processor time in hundredths of a second; the uptime in seconds. */
async function ticks() {
  const script = `pid=$(cat "$0"); cat /proc/uptime "/proc/$pid/stat" "/proc/$pid/status"`
  const { stdout } = await vm.exec(['sh', '-c', script, `${world.folder}/pid`])
  const [uptime = '', stat = ''] = stdout.split('\n')
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number) as [number, number]
  const [memory, most, own] = ['VmRSS', 'VmHWM', 'RssAnon'].map(
    name => new RegExp(`${name}:\\s+(\\d+ kB)`).exec(stdout)?.[1],
  )
  return { ticks: user + system, uptime: Number(uptime.split(' ')[0]), memory, most, own }
}
