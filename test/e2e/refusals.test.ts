import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Deployment } from '../../src/karmada/agent.ts'
import type { Cluster } from '../../src/karmada/cluster.ts'
import { openWorld } from './plugin.ts'

const { karmadaNet, kubectl, read, sandbox } = await openWorld()
const ours = '-l app.kubernetes.io/managed-by=kubectl-karmada-net'
const agentOf = '-n karmada-system deployment karmada-agent'

/** Everything that a refused command must leave as it is. */
async function state(): Promise<unknown> {
  const kinds = 'deployments,services,configmaps,secrets,poddisruptionbudgets,networkpolicies'
  const objects = (context: string) => kubectl(context, `get ${kinds} -A ${ours} -o name`)
  const spec = async (member: string) => (await read<Cluster>('karmada', `cluster ${member}`)).spec
  const agent = async (member: string) => (await read<Deployment>(member, agentOf)).spec?.template.spec?.containers[0]
  return {
    objects: await Promise.all(['host', 'member1', 'member2'].map(objects)),
    works: await kubectl('karmada', `get works -A ${ours} -o name`),
    clusters: await Promise.all(['member1', 'member2', 'push1'].map(spec)),
    agents: await Promise.all(['member1', 'member2'].map(agent)),
  }
}

/** A kubeconfig beside the sandbox's own, with some words changed. */
async function kubeconfig(name: string, change: (text: string) => string): Promise<string> {
  const file = join(sandbox.dir, name)
  await writeFile(file, change(await readFile(sandbox.kubeconfig, 'utf8')), { mode: 0o600 })
  return file
}

beforeAll(async () => {
  await karmadaNet('anp down --all')
})

describe('one line, a hint, and nothing changed:', () => {
  test.each<[string, string, string | RegExp, string | RegExp]>([
    ['an unknown member', 'anp up membr1', 'no cluster "membr1" in plane karmada', 'did you mean member1?'],
    [
      'a push-mode member',
      'anp up push1',
      /cluster "push1" is joined in push mode: Karmada reaches it at https:.* without a tunnel/,
      'pull-mode members here: member1, member2',
    ],
    ['nobody named', 'anp up', 'no member named', '--all'],
    [
      'a context that is no control plane',
      'anp up member1 --context member1',
      'context member1 is not a Karmada control plane',
      '--context karmada',
    ],
    [
      'a host that is not its host',
      'anp up member1 --context karmada --host-context push1',
      'context push1 is not the host of plane',
      'kubectl karmada-net contexts',
    ],
    [
      'a context that is not there',
      'anp up member1 --context nope',
      'context "nope" does not exist',
      'kubectl config get-contexts',
    ],
    [
      "another member's context",
      'anp up member1 --context karmada --member-context member1=member2 --deliver context',
      'context member2 is member2, not member1',
      'contexts',
    ],
    [
      'a kubeconfig that is not there',
      'anp up member1 --kubeconfig /does/not/exist',
      'kubeconfig /does/not/exist cannot be read',
      '',
    ],
    [
      'an address that is none',
      'anp up member1 --address https://x',
      'invalid argument "https://x" for "--address" flag',
      '',
    ],
    [
      'an API endpoint that is none',
      'anp up member1 --api-endpoint kubernetes:443',
      'invalid argument "kubernetes:443" for "--api-endpoint" flag',
      '',
    ],
    ['a typing error', 'anp up member1 --adress x', 'unknown flag: --adress', 'did you mean --address?'],
    ['verify without a tunnel', 'anp verify member1', 'member1 is not connected', 'anp up member1'],
  ])('%s', async (_, command, error, hint) => {
    const earlier = await state()
    expect(await karmadaNet(command)).toFailWith(error, hint ? { hint } : undefined)
    expect(await state()).toEqual(earlier)
  })

  test('several planes and none chosen', async () => {
    const file = await kubeconfig('no-current.conf', text =>
      text.replace(/"?current-context"?:.*/, 'current-context: ""'),
    )
    const run = await karmadaNet('anp up member1', { kubeconfig: file })
    expect(run).toFailWith(/2 planes|2 Karmada/, { hint: '--context' })
    for (const context of ['karmada', 'karmada2']) expect(run.stderr).toContain(context)
  })

  test('a host that cannot be reached', async () => {
    const file = await kubeconfig('no-host.conf', text =>
      text.replaceAll(`https://${sandbox.host.address}:6443`, 'https://127.0.0.1:1'),
    )
    expect(await karmadaNet('anp up member1 --context karmada', { kubeconfig: file })).toFailWith(/host/, {
      hint: /host-context|contexts/,
    })
  })

  test('a certificate file that cannot be read', async () => {
    const file = await kubeconfig('no-certificate.conf', text =>
      text.replace(/client-certificate-data: .*/g, 'client-certificate: /does/not/exist.crt'),
    )
    const run = await karmadaNet('anp up member1 --context karmada', { kubeconfig: file })
    expect(run).toFailWith('/does/not/exist.crt')
  })
})

describe('members that are not fit:', () => {
  const ghost = {
    apiVersion: 'cluster.karmada.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name: 'ghost' },
    spec: { syncMode: 'Pull', apiEndpoint: 'https://10.1.1.1:6443' },
  }
  beforeAll(async () => {
    await kubectl('karmada', 'create -f -', ghost)
  })
  afterAll(async () => {
    await kubectl('karmada', 'delete cluster ghost --wait=false')
  })

  test('not ready', async () => {
    expect(await karmadaNet('anp up ghost')).toFailWith('cluster "ghost" is not ready')
  })

  test('registered without secrets', async () => {
    const status = {
      status: {
        conditions: [
          {
            type: 'Ready',
            status: 'True',
            reason: 'ClusterReady',
            message: 'x',
            lastTransitionTime: new Date().toISOString(),
          },
        ],
      },
    }
    await kubectl('karmada', `patch cluster ghost --subresource=status --type=merge -p ${JSON.stringify(status)}`)
    expect(await karmadaNet('anp up ghost')).toFailWith('cluster "ghost" is registered without secrets', {
      hint: '--report-secrets',
    })
  })

  test("one member's failure leaves the others going", async () => {
    const run = await karmadaNet('anp up ghost member1')
    expect(run).toFailWith(/ghost/)
    expect(run.stderr).toMatch(/GET \/readyz through clusters\/member1\/proxy/)
    expect(await karmadaNet('anp down member1')).toSucceed()
  })
})

describe('karmada-agent', () => {
  /** Paused, the Deployment can be changed while the agent itself goes on as it is. */
  const change = async (words: string[]) => {
    await kubectl('member2', `patch ${agentOf} --type=merge -p {"spec":{"paused":true}}`)
    await kubectl(
      'member2',
      `patch ${agentOf} --type=json -p ${JSON.stringify([{ op: 'replace', path: '/spec/template/spec/containers/0/command', value: words }])}`,
    )
  }
  let command: string[] = []
  beforeAll(async () => {
    command = (await read<Deployment>('member2', agentOf)).spec?.template.spec?.containers[0]?.command ?? []
  })
  const restore = async () => {
    await change(command)
    await kubectl('member2', `patch ${agentOf} --type=merge -p {"spec":{"paused":false}}`)
  }
  afterAll(restore)

  const proxied = () => [
    ...command.filter(word => !word.startsWith('--proxy-server-address')),
    '--proxy-server-address=http://10.0.0.1:3128',
  ]

  test.each<[string, string]>([
    ['looked at through a context', '--deliver context'],
    ['looked at through the tunnel', ''],
  ])('with a proxy that a person set is left alone, %s', async (_, how) => {
    await change(proxied())
    const earlier = await state()
    const run = await karmadaNet(`anp up member2 ${how}`.trim())
    expect(run).toFailWith('karmada-agent of member2 already has --proxy-server-address=http://10.0.0.1:3128', {
      hint: '--force',
    })
    expect(await state()).toEqual(earlier)
    await restore()
  })

  test('of another cluster', async () => {
    await change(command.map(word => (word.startsWith('--cluster-name=') ? '--cluster-name=other' : word)))
    const earlier = await state()
    expect(await karmadaNet('anp up member2 --deliver context')).toFailWith('has --cluster-name=other, not member2')
    expect(await state()).toEqual(earlier)
    await restore()
  })

  test('that is not there', async () => {
    const deployment = await read<Deployment>('member2', agentOf)
    const { name, namespace, labels } = deployment.metadata
    await kubectl('member2', `delete ${agentOf} --cascade=orphan`)
    try {
      expect(await karmadaNet('anp up member2 --deliver context')).toFailWith(
        'no karmada-agent Deployment in member2',
        { hint: 'karmadactl register' },
      )
    } finally {
      await kubectl('member2', 'create -f -', {
        ...deployment,
        metadata: { name, namespace, labels },
        status: undefined,
      })
    }
  })
})

describe('rights', () => {
  const everywhere = ['host', 'karmada']
  const role = {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'test-reader' },
        rules: [
          { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] },
          { nonResourceURLs: ['*'], verbs: ['get'] },
        ],
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'test-reader' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'test-reader' },
        subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'reader' }],
      },
    ],
  }
  beforeAll(async () => {
    for (const context of everywhere) await kubectl(context, 'apply -f -', role)
  })
  afterAll(async () => {
    for (const context of everywhere) await kubectl(context, 'delete -f -', role)
  })

  test('that are missing are named before anything is changed', async () => {
    const earlier = await state()
    const run = await karmadaNet('anp up member1 --as reader')
    expect(run).toFailWith(/you may not create secrets in namespace karmada-system in context host/, {
      hint: 'create deployments.apps',
    })
    expect(await state()).toEqual(earlier)
  })
})

describe('a tunnel that cannot come up', () => {
  test('nobody answers on the address', async () => {
    const run = await karmadaNet('anp up member1 --address 203.0.113.1:9 --timeout 15s')
    expect(run).toFailWith('no agent of member1 connected to 203.0.113.1:9 in 15s', { hint: '--address' })
    const cluster = await read<Cluster>('karmada', 'cluster member1')
    expect(cluster.spec.proxyURL ?? '').toBe('')
    expect(await karmadaNet('anp down member1')).toSucceed()
  })

  test('an API server that is not there', async () => {
    const earlier = await state()
    const run = await karmadaNet('anp up member1 --api-endpoint https://127.0.0.1:9')
    expect(run).toFailWith('the tunnel does not reach 127.0.0.1:9 in the member', { hint: '--api-endpoint' })
    expect(await state()).toEqual(earlier)
  })
})
