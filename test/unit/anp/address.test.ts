import { describe, expect, test } from 'vitest'
import { chooseNodePort, gatewayAddress, type Node, parseAddress, type Service } from '../../../src/anp/address.ts'

test.each([
  ['gw.example.com', { host: 'gw.example.com' }],
  ['gw.example.com:443', { host: 'gw.example.com', port: 443 }],
  ['10.0.0.9:32091', { host: '10.0.0.9', port: 32091 }],
  ['[fd00::9]:443', { host: 'fd00::9', port: 443 }],
  ['fd00::9', { host: 'fd00::9' }],
  ['gw:0', undefined],
  ['gw:70000', undefined],
  ['https://gw', undefined],
  ['', undefined],
])('--address %s', (text, address) => expect(parseAddress(text)).toEqual(address))

const node = (ready: string, addresses: Record<string, string>): Node =>
  ({
    status: {
      conditions: [{ type: 'Ready', status: ready }],
      addresses: Object.entries(addresses).map(([type, address]) => ({ type, address })),
    },
  }) as unknown as Node

const balancer = (ingress: object[]): Service => ({ status: { loadBalancer: { ingress } } }) as unknown as Service

describe('members dial', () => {
  const nodes = [
    node('False', { ExternalIP: '1.1.1.1' }),
    node('True', { InternalIP: '10.0.0.1' }),
    node('True', { InternalIP: '10.0.0.2', ExternalIP: '2.2.2.2' }),
  ]
  const inputs = { expose: 'nodeport' as const, nodePort: 32091, nodes, planeServer: 'https://vip.example.com:5443' }

  test.each<[string, Partial<Parameters<typeof gatewayAddress>[0]>, object | undefined]>([
    ["a ready node's external address", {}, { host: '2.2.2.2', port: 32091 }],
    [
      'the node that they know as the control plane',
      { planeServer: 'https://10.0.0.2:32443' },
      { host: '10.0.0.2', port: 32091 },
    ],
    ['what they are told to', { given: { host: 'gw' } }, { host: 'gw', port: 32091 }],
    ['the port too', { given: { host: 'gw', port: 443 } }, { host: 'gw', port: 443 }],
    ['the host port', { expose: 'hostport' }, { host: '2.2.2.2', port: 8091 }],
    [
      'the load balancer',
      { expose: 'loadbalancer', service: balancer([{ hostname: 'lb' }]) },
      { host: 'lb', port: 8091 },
    ],
    ['nothing yet', { expose: 'loadbalancer', service: balancer([]) }, undefined],
    ['nothing without a ready node', { nodes: nodes.slice(0, 1) }, undefined],
  ])('%s', (_, change, address) => expect(gatewayAddress({ ...inputs, ...change })).toEqual(address))
})

describe('the NodePort', () => {
  const service = (name: string, nodePort: number): Service =>
    ({ metadata: { name, namespace: 'karmada-system' }, spec: { ports: [{ nodePort }] } }) as unknown as Service

  test.each<[string, Service[], number]>([
    ['is the first of its range', [], 32091],
    ['is the next free one', [service('a', 32091), service('b', 32092)], 32093],
    ['stays what it is', [service('anp-gateway', 30007), service('a', 32091)], 30007],
  ])('%s', (_, services, port) => expect(chooseNodePort(services, 'karmada-system')).toBe(port))
})
