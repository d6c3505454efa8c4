import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { askKubeProxy, newsOf } from '../../../../src/vip/kube-proxy/ask.ts'

const answer = (Mode: string, ExcludeCIDRs: string[] | null) =>
  JSON.stringify({ 'kubeproxy.config.k8s.io': { Mode, IPVS: { ExcludeCIDRs, Scheduler: 'rr' } } })

test.each([
  [answer('ipvs', ['198.18.0.1/32']), { mode: 'ipvs', excludeCIDRs: ['198.18.0.1/32'] }],
  [answer('ipvs', null), { mode: 'ipvs', excludeCIDRs: [] }],
  [answer('', null), { mode: 'iptables', excludeCIDRs: [] }],
  ['404 page not found', undefined],
  ['{}', undefined],
  ['', undefined],
])('%s', (text, wanted) => {
  expect(newsOf(text)).toEqual(wanted)
})

test('it is asked where it serves its metrics; where nobody answers, nothing is known', async () => {
  const server = createServer((incoming, outgoing) => {
    outgoing.end(incoming.url === '/configz' ? answer('nftables', null) : '')
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const at = { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
  const { signal } = new AbortController()
  expect(await askKubeProxy(signal, at)).toEqual({ mode: 'nftables', excludeCIDRs: [] })
  await new Promise(resolve => server.close(resolve))
  expect(await askKubeProxy(signal, at)).toBeUndefined()
})
