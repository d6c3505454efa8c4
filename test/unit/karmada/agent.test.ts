import { describe, expect, test } from 'vitest'
import {
  type AgentFlags,
  type Deployment,
  findAgent,
  patchAgentFlags,
  patchAnnotations,
  readFlag,
  writeFlag,
} from '../../../src/karmada/agent.ts'

const words = (text: string) => text.split(' ')

test.each([
  ['--a=1 --b=2', '1'],
  ['--a 1 --b=2', '1'],
  ['--a= --b=2', ''],
  ['--a=1 --a=2', '2'],
  ['--ab=1', undefined],
])('reads --a from %s', (text, value) => expect(readFlag(words(text), '--a')).toBe(value))

test.each([
  ['x --a=1 --b=2', 'new', 'x --a=new --b=2'],
  ['x --a 1 --b=2', 'new', 'x --a new --b=2'],
  ['x --b=2', 'new', 'x --b=2 --a=new'],
  ['x --a=1 --b=2 --a=3', 'new', 'x --a=new --b=2'],
  ['x --a=1 --b=2', undefined, 'x --b=2'],
  ['x --a 1 --b=2', undefined, 'x --b=2'],
  ['x --b=2', undefined, 'x --b=2'],
])('writes --a into %s: %s', (text, value, result) =>
  expect(writeFlag(words(text), '--a', value).join(' ')).toBe(result),
)

const deployment = (container: object, name = 'karmada-agent'): Deployment =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'karmada-system' },
    spec: {
      selector: {},
      template: {
        spec: {
          containers: [
            { name: 'side', image: 'x' },
            { name, ...container },
          ],
        },
      },
    },
  }) as Deployment

const registered = deployment({ command: words('/bin/karmada-agent --cluster-name=member1 --proxy-server-address=') })

describe('karmada-agent is found', () => {
  test.each<[string, object]>([
    ['as karmadactl installs it', { command: words('/bin/karmada-agent --cluster-name=member1') }],
    ['with its flags in args', { command: ['karmada-agent'], args: words('--cluster-name=member1') }],
    ['with flags of two words', { command: words('/bin/karmada-agent --cluster-name member1') }],
    ['by its image', { image: 'docker.io/karmada/karmada-agent:v1.18.2', args: words('--cluster-name=member1') }],
  ])('%s', (_, container) => {
    const agent = findAgent(
      [deployment({ command: ['nginx'] }, 'web'), deployment(container, 'release-name')],
      'member1',
    )
    expect(agent.deployment.metadata.name).toBe('release-name')
    expect(agent.containerIndex).toBe(1)
  })

  test.each<[string, Deployment[], RegExp]>([
    ['none', [deployment({ command: ['nginx'] })], /^no karmada-agent Deployment in member1$/],
    [
      "another cluster's",
      [deployment({ command: words('karmada-agent --cluster-name=other') })],
      /has --cluster-name=other, not member1$/,
    ],
    ['two', [registered, registered], /^2 karmada-agents of member1/],
  ])('or one line says why not: %s', (_, deployments, message) => {
    expect(() => findAgent(deployments, 'member1')).toThrow(message)
  })
})

describe('the patch of its flags', () => {
  const flags: AgentFlags = {
    '--cluster-api-endpoint': 'https://k.d.svc:443',
    '--proxy-server-address': 'http://p:8088',
  }
  const base = '/spec/template/spec/containers/1'

  test('tests what it replaces, and remembers', () => {
    const old = words('/bin/karmada-agent --cluster-name=member1 --proxy-server-address=')
    expect(patchAgentFlags(findAgent([registered], 'member1'), flags, { 'a/b': 'old' })).toEqual([
      { op: 'test', path: `${base}/name`, value: 'karmada-agent' },
      { op: 'test', path: `${base}/command`, value: old },
      {
        op: 'replace',
        path: `${base}/command`,
        value: words(
          '/bin/karmada-agent --cluster-name=member1 --proxy-server-address=http://p:8088 --cluster-api-endpoint=https://k.d.svc:443',
        ),
      },
      { op: 'add', path: '/metadata/annotations', value: {} },
      { op: 'add', path: '/metadata/annotations/a~1b', value: 'old' },
    ])
  })

  test.each([
    [
      'new flags go where the flags are',
      { command: ['karmada-agent'], args: words('--cluster-name=member1') },
      ['args'],
    ],
    [
      'each flag is written where it stands',
      {
        command: words('karmada-agent --proxy-server-address=x'),
        args: words('--cluster-name=member1 --cluster-api-endpoint=y'),
      },
      ['command', 'args'],
    ],
  ])('%s', (_, container, fields) => {
    const patch = patchAgentFlags(findAgent([deployment(container)], 'member1'), flags, {})
    expect(patch.filter(({ op }) => op === 'replace').map(({ path }) => path)).toEqual(
      fields.map(field => `${base}/${field}`),
    )
  })

  test('undefined takes a flag away', () => {
    const none: AgentFlags = { '--cluster-api-endpoint': undefined, '--proxy-server-address': undefined }
    const patch = patchAgentFlags(findAgent([registered], 'member1'), none, {})
    expect(patch.at(-1)).toMatchObject({ value: words('/bin/karmada-agent --cluster-name=member1') })
  })
})

test('an annotation is taken away only where it is', () => {
  const object = { ...registered, metadata: { name: 'x', annotations: { 'a/b': '1' } } }
  expect(patchAnnotations(object, { 'a/b': undefined, c: undefined })).toEqual([
    { op: 'remove', path: '/metadata/annotations/a~1b' },
  ])
})
