import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Deployment, readFlag } from '../../src/karmada/agent.ts'
import type { Cluster } from '../../src/karmada/cluster.ts'
import { eventually, openWorld } from './plugin.ts'

const { karmadaNet, kubectl, read, runUntil, sandbox } = await openWorld()
const ours = '-l app.kubernetes.io/managed-by=kubectl-karmada-net'
const works = () => kubectl('karmada', `get works -A ${ours} -o name`)
const inMember = (member: string) => kubectl(member, `get deployments,secrets -A ${ours} -o name`)

beforeAll(async () => {
  await karmadaNet('anp down --all')
})
afterAll(async () => {
  await karmadaNet('anp down --all --timeout 60s')
})

describe("with the member's own context", () => {
  test('nothing of it passes through Karmada', async () => {
    expect(await karmadaNet('anp up member1 --deliver context')).toSucceed()
    expect(await works()).toBe('')
    expect(await inMember('member1')).toContain('deployment.apps/anp-agent')
    expect(await karmadaNet('anp verify member1')).toSucceed()
  })

  test('without a context for it there is one line', async () => {
    expect(await karmadaNet('anp up member1 --deliver context', { hub: true })).toFailWith(
      'no context leads to member1',
      {
        hint: '--member-context member1=CONTEXT',
      },
    )
  })

  test('anp down finds the context by itself', async () => {
    expect(await karmadaNet('anp down member1')).toSucceed()
    expect(await inMember('member1')).toBe('')
  })
})

describe('printed, to be handed over', () => {
  test('the command goes on as soon as somebody applied the manifests', async () => {
    const applied: Promise<string>[] = []
    const run = await runUntil('anp up member2 --deliver print', /kind: NetworkPolicy[\s\S]*\n$/, ({ stdout }) => {
      applied.push(kubectl('member2', 'apply -f -', stdout))
    })
    await Promise.all(applied)
    expect(run).toSucceed()
    expect(run.stdout).not.toContain('Plane karmada')
    expect(await works()).toBe('')
    expect(await karmadaNet('anp verify member2')).toSucceed()
  })

  test('and takes back what it can reach', async () => {
    expect(await karmadaNet('anp down member2')).toSucceed()
    expect(await inMember('member2')).toBe('')
  })
})

describe('the gateway is exposed', () => {
  test('on a port of the node itself', async () => {
    const run = await karmadaNet('anp up member1 --expose hostport --replicas 1')
    expect(run).toSucceed()
    expect(run.stderr).toContain(`1 replica on ${sandbox.host.address}:8091`)
    const { spec } = await read<Deployment>('host', '-n karmada-system deployment anp-server-member1')
    expect(spec?.replicas).toBe(1)
    // Told once, it holds.
    const again = await karmadaNet('anp up member1')
    expect(again.stderr).toMatch(/^Nothing to do: member1 is connected/m)
    expect(await karmadaNet('anp verify member1')).toSucceed()
    expect(await karmadaNet('anp down member1')).toSucceed()
  })

  test('by a load balancer, once that has an address', async () => {
    // The part of a cloud's controller: it gives the Service the address of the node, where kube-proxy answers for it.
    const given: Promise<void>[] = []
    const status = { status: { loadBalancer: { ingress: [{ ip: sandbox.host.address }] } } }
    const run = await runUntil('anp up member1 --expose loadbalancer', /✓ Preflight/, () => {
      given.push(
        eventually(60, async () => {
          await kubectl(
            'host',
            `patch service anp-gateway -n karmada-system --subresource=status --type=merge -p ${JSON.stringify(status)}`,
          )
        }),
      )
    })
    await Promise.all(given)
    expect(run).toSucceed()
    expect(run.stderr).toContain(`2 replicas on ${sandbox.host.address}:8091`)
    expect(await karmadaNet('anp verify member1')).toSucceed()
  })
})

describe('a proxy that a person set', () => {
  const proxy = 'http://10.0.0.1:3128'
  const agent = '-n karmada-system deployment karmada-agent'
  const isReady = async () => {
    const { status } = await read<Cluster>('karmada', 'cluster member1')
    expect(status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True')
  }
  /** Both places, as an engineer would: karmada-agent crashes when they differ. */
  const set = async (url: string) => {
    const deployment = await read<Deployment>('member1', agent)
    const words = deployment.spec?.template.spec?.containers[0]?.command ?? []
    const command = [
      ...words.filter(word => !word.startsWith('--proxy-server-address')),
      `--proxy-server-address=${url}`,
    ]
    const flags = [{ op: 'replace', path: '/spec/template/spec/containers/0/command', value: command }]
    await kubectl(
      'karmada',
      `patch cluster member1 --type=merge -p ${JSON.stringify({ spec: { proxyURL: url || null } })}`,
    )
    await kubectl('member1', `patch ${agent} --type=json -p ${JSON.stringify(flags)}`)
    await kubectl('member1', 'rollout status deployment/karmada-agent -n karmada-system')
  }
  const seen = async () => ({
    cluster: (await read<Cluster>('karmada', 'cluster member1')).spec.proxyURL,
    agent: readFlag(
      (await read<Deployment>('member1', agent)).spec?.template.spec?.containers[0]?.command ?? [],
      '--proxy-server-address',
    ),
  })
  beforeAll(async () => {
    await karmadaNet('anp down member1')
    await set(proxy)
    await eventually(60, isReady)
  })
  afterAll(() => set(''))

  test('is left alone', async () => {
    expect(await karmadaNet('anp up member1')).toFailWith(`cluster "member1" already has proxyURL ${proxy}`, {
      hint: '--force',
    })
    expect(await seen()).toEqual({ cluster: proxy, agent: proxy })
  })

  test('is replaced by force, and put back', async () => {
    const ours = 'http://anp-server-member1.karmada-system.svc:8088'
    expect(await karmadaNet('anp up member1 --force')).toSucceed()
    expect(await seen()).toEqual({ cluster: ours, agent: ours })
    expect(await karmadaNet('anp down member1')).toSucceed()
    expect(await seen()).toEqual({ cluster: proxy, agent: proxy })
  })
})
