import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, openWorld } from '../plugin.ts'
import { nodeOf } from './node.ts'
import { isGone, isThere, untilTable } from './table.ts'
import { failures, underLoad } from './under-load.ts'

const world = await openWorld()
const { karmadaNet, kubectl, sandbox } = world
const address = '198.18.0.1'
const vm = sandbox.vm('vm1')
const vip = (words: string) => karmadaNet(`vip ${words} --context host`, { timeoutMs: 400_000 })
const { rules } = nodeOf(vm, address)
const addresses = [address, ...[1, 2, 3].map(number => sandbox.apiServer(number).address)]

interface AgentPod {
  metadata: { uid: string; deletionTimestamp?: string }
  spec: { containers: [{ image: string }] }
  status: { containerStatuses: [{ restartCount: number; ready: boolean }] }
}
async function pod(): Promise<AgentPod> {
  const text = await kubectl('host', '-n kube-system get pods -l app.kubernetes.io/component=vip -o json')
  const { items } = JSON.parse(text) as { items: AgentPod[] }
  // Its predecessor may still be listed.
  const [only, ...others] = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  if (!only || others.length > 0) throw new Error(`there are ${items.length} agents`)
  return only
}

beforeAll(async () => {
  await vip('down')
  expect(await vip(`up --vip ${address} --nodes kubernetes.io/hostname=vm1`)).toSucceed()
})
afterAll(() => vip('down'))

test('clients notice neither an agent that is killed nor one that is replaced by another version', async () => {
  const {
    metadata: { uid },
    spec: { containers },
  } = await pod()
  const [{ image }] = containers
  const other = image.replace(/[^:]+$/, 'other')
  await vm.exec(['ctr', '--namespace', 'k8s.io', 'images', 'tag', '--force', image, other])
  // Few, as kubelet has to get by beside them on the simulated processor.
  const tally = await underLoad(world, { host: address, perSecond: 40 }, async () => {
    await vm.exec(['pkill', '-KILL', '-f', 'karmada-net/vip.js run'])
    await eventually(240, async () =>
      expect((await pod()).status.containerStatuses[0]).toMatchObject({ restartCount: 1, ready: true }),
    )
    try {
      expect(await vip(`up --image ${other}`)).toSucceed()
      expect((await pod()).metadata.uid).not.toBe(uid)
    } finally {
      // Other nodes do not have it.
      expect(await vip(`up --image ${image}`)).toSucceed()
    }
  })
  expect(failures(tally)).toEqual([])
})

test.each([
  ['cleans up', 'kube-proxy --cleanup'],
  ['starts in nftables mode', 'systemctl restart kube-proxy'],
])('rules are back after a kube-proxy that %s has removed them', async (how, command) => {
  const before = await rules()
  const script = `${command} >/dev/null 2>&1 & ${untilTable(isGone(address))}; from=$EPOCHREALTIME
${untilTable(addresses.map(isThere).join(' && '))}; echo $(((\${EPOCHREALTIME/./} - \${from/./}) / 1000)); wait`
  const { stdout } = await vm.exec(['bash', '-c', script], { timeoutMs: 240_000 })
  process.stdout.write(`a kube-proxy that ${how}: complete again after ${stdout.trim()} ms\n`)
  await eventually(60, async () => expect(await rules()).toEqual(before))
})
