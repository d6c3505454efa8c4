import { describe, expect, test } from 'vitest'
import { openWorld } from './plugin.ts'

const { karmadaNet, kubectl, sandbox } = await openWorld()
const vip = (words: string) => karmadaNet(`vip ${words} --context host`)
const objects = () =>
  kubectl('host', 'get ds,cm,sa,role,rolebinding -A -l app.kubernetes.io/instance=karmada-net-vip -o name')

describe('one line, a hint, and nothing changed:', () => {
  test.each<[string, string, string | RegExp, string | RegExp]>([
    ['no address', 'up', 'which address', 'vip up --vip 198.18.0.1'],
    ['what is no address', 'up --vip apiserver.example.com', 'vip is not an IP address', '--vip 198.18.0.1'],
    ['a loopback address', 'up --vip 127.0.0.1', 'is a loopback address', '--vip 198.18.0.1'],
    ['an address of Services', 'up --vip 10.96.7.7', 'lies in the network of Services, 10.96.0.0/16', '--vip'],
    ['an address of pods', 'up --vip 10.244.0.77', 'lies in a network of pods, 10.244.0.0/24', '--vip'],
    ["a node's own address", `up --vip ${sandbox.host.address}`, 'is the address of a node', '--vip'],
    ['the other family', 'up --vip fd00:6b6e::1', 'is IPv6, but these nodes are not: host', '--vip 198.18.0.1'],
    [
      'certificates that do not know it',
      'up --vip 198.18.0.1 --dry-run=client',
      'are not valid for 198.18.0.1',
      'with kubeadm',
    ],
    ['nodes that are not there', 'up --vip 198.18.0.1 --nodes pool=none', 'there is no such node', 'kubectl get nodes'],
    ['a selector that is none', 'up --vip 198.18.0.1 --nodes a=b=c', 'is no label selector', '--nodes'],
    ['status of nothing', 'status', 'cluster host has no virtual IP', 'vip up'],
  ])('%s', async (_, words, error, hint) => {
    const run = await vip(words)
    expect(run).toFailWith(error, { hint })
    expect(await objects()).toBe('')
  })
})

const wanted = 'up --vip 198.18.0.1 --tls-server-name kubernetes'

test('what would be applied is shown, and the API server finds nothing wrong with it', async () => {
  const shown = await vip(`${wanted} --dry-run=client -o yaml`)
  expect(shown).toSucceed()
  expect(await kubectl('host', 'apply --dry-run=server -f -', shown.stdout)).toContain(
    'daemonset.apps/karmada-net-vip created (server dry run)',
  )
  const tried = await vip(`${wanted} --dry-run=server`)
  expect(tried).toSucceed()
  expect(tried.stderr).toContain('1 of 1 objects would change')
  expect(await objects()).toBe('')
})

test('where there is nothing, "down" has nothing to do', async () => {
  const down = await vip('down')
  expect(down).toSucceed()
  expect(down.stderr).toContain('Nothing to do')
})

test('what is only tried is not removed', async () => {
  // The settings are what "down" goes by; the rest may be missing, as after one that was interrupted.
  const { stdout } = await vip(`${wanted} --dry-run=client -o yaml`)
  const settings = stdout.split('\n---\n').find(text => text.includes('kind: ConfigMap')) ?? ''
  await kubectl('host', 'apply -f -', settings)
  for (const how of ['client', 'server']) {
    expect(await vip(`down --dry-run=${how}`)).toSucceed()
    expect(await objects()).toBe('configmap/karmada-net-vip\n')
  }
  expect(await vip('down')).toSucceed()
  expect(await objects()).toBe('')
})
