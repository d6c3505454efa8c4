import { connect } from 'node:tls'
import { describe, expect, test } from 'vitest'
import type { Deployment } from '../../src/karmada/agent.ts'
import type { Cluster } from '../../src/karmada/cluster.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { openWorld } from './plugin.ts'

const world = await openWorld()
const { karmadaNet, kubectl, read, sandbox } = world
const members = ['member1', 'member2']
const ours = '-l app.kubernetes.io/managed-by=kubectl-karmada-net'

const cluster = (member: string) => read<Cluster>('karmada', `cluster ${member}`)
const agent = (member: string) => read<Deployment>(member, '-n karmada-system deployment karmada-agent')
const command = async (member: string) => (await agent(member)).spec?.template.spec?.containers[0]?.command
const through = (member: string, path: string) =>
  sandbox.attempt(
    [
      'kubectl',
      '--context',
      'karmada',
      'get',
      '--raw',
      `/apis/cluster.karmada.io/v1alpha1/clusters/${member}/proxy${path}`,
    ],
    { timeoutMs: 60_000 },
  )
const objectsOf = async (context: string) => {
  const kinds = 'deployments,services,configmaps,secrets,poddisruptionbudgets,networkpolicies'
  return (await kubectl(context, `get ${kinds} -A ${ours} -o name`)).trim().split('\n').filter(Boolean)
}

/** As they were before anything was done to them. */
const before = {
  clusters: await Promise.all(members.map(async member => (await cluster(member)).spec)),
  commands: await Promise.all(members.map(command)),
}

describe('before', () => {
  test('contexts tells who is who', async () => {
    const run = await karmadaNet('contexts')
    expect(run).toSucceed()
    expect(run.stdout).toMatch(/^CONTEXT +ROLE +CLUSTER +PLANE +VERSION +ACCESS +NOTE$/m)
    expect(run.stdout).toMatch(/^host +host +- +\S+ +v1\.35\.4 +ok +karmada-system, by karmadactl v1\.18\.2/m)
    expect(run.stdout).toMatch(/^karmada +plane .* 3 members: 2 pull, 1 push/m)
    for (const member of members)
      expect(run.stdout).toMatch(new RegExp(`^${member} +member \\(pull\\) +${member} `, 'm'))
    expect(run.stdout).toMatch(/^push1 +member \(push\) +push1 /m)
  })

  test('Karmada does not reach a member behind NAT', async () => {
    const run = await sandbox.attempt([
      'kubectl',
      '--context',
      'karmada',
      'get',
      '--request-timeout=5s',
      '--raw',
      '/apis/cluster.karmada.io/v1alpha1/clusters/member1/proxy/readyz',
    ])
    expect(run.code).not.toBe(0)
  })

  test('status says so, and what to do', async () => {
    const run = await karmadaNet('anp status')
    expect(run).toSucceed()
    expect(run.stdout).toMatch(/^member1 +- .* pull mode, not connected: anp up member1$/m)
    expect(run.stdout).not.toContain('push1')
  })

  test('a dry run on the client shows every object, keys masked, and changes nothing', async () => {
    const run = await karmadaNet('anp up --all --dry-run -oyaml')
    expect(run).toSucceed()
    for (const line of ['# host host', 'name: anp-gateway', 'name: anp-server-member2', 'name: anp-agent']) {
      expect(run.stdout).toContain(line)
    }
    expect(run.stdout).toContain('# member member1, through Work karmada-es-member1/karmada-net-anp')
    expect(run.stdout).not.toMatch(/LS0tLS1CRUdJTi/)
    expect(await objectsOf('host')).toEqual([])
  })

  test('a dry run on the servers finds nothing to object to, and changes nothing', async () => {
    expect(await karmadaNet('anp up --all --dry-run=server')).toSucceed()
    expect(await objectsOf('host')).toEqual([])
    expect(await objectsOf('karmada')).toEqual([])
  })
})

describe('anp up, from a kubeconfig without any member', () => {
  test('connects both members', async () => {
    const run = await karmadaNet('anp up --all', { hub: true })
    expect(run).toSucceed()
    expect(run.stdout).toBe('')
    for (const member of members) expect(run.stderr).toContain(`GET /readyz through clusters/${member}/proxy`)
    expect(run.stderr).toMatch(/^Connected: member1, member2/m)
  })

  test('each name reaches its own cluster, although all addresses are the same', async () => {
    const addresses = await Promise.all(
      members.map(async member => kubectl(member, 'get service kubernetes -o jsonpath={.spec.clusterIP}')),
    )
    expect(new Set(addresses).size).toBe(1)
    for (const member of members) {
      const real = await read<KubeObject>(member, 'namespace kube-system')
      const seen = JSON.parse((await through(member, '/api/v1/namespaces/kube-system')).stdout) as KubeObject
      expect(seen.metadata.uid).toBe(real.metadata.uid)
    }
  })

  test('no karmada-agent crashed', async () => {
    for (const member of members) {
      const pods = await kubectl(
        member,
        'get pods -n karmada-system -l app=karmada-agent -o jsonpath={.items[*].status.containerStatuses[*].restartCount}',
      )
      expect(pods.split(' ')).toEqual(pods.split(' ').map(() => '0'))
    }
  })

  test.each(members)('karmadactl get, logs and exec work on %s', async member => {
    const karmadactl = (words: string) =>
      sandbox.exec(['karmadactl', '--karmada-context', 'karmada', ...words.split(' ')])
    expect((await karmadactl(`get pods -A --operation-scope=members -C ${member}`)).stdout).toContain('karmada-agent')
    const pod = (await kubectl(member, 'get pods -n karmada-system -l app=karmada-agent -o name'))
      .trim()
      .replace('pod/', '')
    expect((await karmadactl(`logs ${pod} -n karmada-system -C ${member} --tail=3`)).stdout).not.toBe('')
    // The agent's image holds nothing but the agent.
    const exec = await karmadactl(
      `exec ${pod} -n karmada-system --operation-scope=members --cluster=${member} -- /bin/karmada-agent --help`,
    )
    expect(exec.stdout).toContain('--cluster-name')
  })

  test('a second run changes nothing and says so', async () => {
    const versions = async () =>
      Promise.all([
        kubectl('host', `get deployments -n karmada-system ${ours} -o jsonpath={.items[*].metadata.generation}`),
        ...members.map(async member => (await agent(member)).metadata.generation),
      ])
    const earlier = await versions()
    const run = await karmadaNet('anp up --all')
    expect(run).toSucceed()
    expect(run.stderr).toMatch(/^Nothing to do: member1, member2 are connected/m)
    expect(await versions()).toEqual(earlier)
  })

  test('status and its JSON', async () => {
    expect((await karmadaNet('anp status')).stdout).toMatch(/^member1 +up +2\/2 +2\/2 +match +364d +\d+ms$/m)
    const { items } = JSON.parse((await karmadaNet('anp status -ojson')).stdout) as { items: object[] }
    expect(items).toMatchObject(
      members.map(member => ({ member, tunnel: 'up', servers: { ready: 2, wanted: 2 }, agentFlags: 'match' })),
    )
  })

  test('verify passes every hop', async () => {
    const run = await karmadaNet('anp verify')
    expect(run).toSucceed()
    expect(run.stdout.match(/^ ✓ /gm)).toHaveLength(22)
    expect(run.stdout).not.toMatch(/✗|‼|not tried/)
  })

  test('completion knows the members', async () => {
    const run = await karmadaNet('__complete anp down member')
    expect(run.stdout.split('\n')).toEqual(
      expect.arrayContaining([expect.stringMatching(/^member1/), expect.stringMatching(/^member2/)]),
    )
    expect(run.stdout).not.toContain('push1')
  })
})

describe('the one exposed port', () => {
  const gateway = { host: sandbox.host.address, port: 32091 }
  const secret = async (name: string) =>
    (await read<KubeObject & { data: Record<string, string> }>('host', `secret -n karmada-system ${name}`)).data
  const pem = (data: Record<string, string>, file: string) => Buffer.from(data[file] ?? '', 'base64').toString()

  /** What a TLS client gets: the end of the connection in words, or bytes once it is let in. */
  const dial = (options: object): Promise<string> =>
    new Promise(resolve => {
      const socket = connect({ ...gateway, minVersion: 'TLSv1.3', ...options }, () => {
        // TLS 1.3 tells a client without a good certificate only after the handshake.
        setTimeout(() => resolve('connected'), 500)
      })
      socket.once('error', error => resolve(error.message))
      socket.once('close', () => resolve('closed'))
      socket.once('data', () => resolve('connected'))
    })

  test.each([
    ['no name', []],
    ['HTTP/2 alone', ['h2']],
    ['an unknown member', ['karmada-net.member9', 'h2']],
    ['a name that would lead elsewhere', ['karmada-net.member1.karmada-system.svc', 'h2']],
  ])('shows nothing to a client with %s', async (_, ALPNProtocols) => {
    expect(await dial({ ALPNProtocols, rejectUnauthorized: false })).toMatch(
      /closed|ECONNRESET|disconnected before secure|socket hang up/,
    )
  })

  test("lets a member's agent in, and nobody else", async () => {
    const [own, other] = await Promise.all([secret('anp-authority-member1'), secret('anp-authority-member2')])
    const hello = { ALPNProtocols: ['karmada-net.member1', 'h2'], ca: pem(own, 'ca.crt') }
    const as = (data: Record<string, string>) => ({ cert: pem(data, 'agent.crt'), key: pem(data, 'agent.key') })
    expect(await dial({ ...hello, ...as(own) })).toBe('connected')
    expect(await dial(hello)).toMatch(/certificate required/)
    expect(await dial({ ...hello, ...as(other) })).toMatch(/unknown ca|certificate/)
    expect(await dial({ ...hello, ca: pem(other, 'ca.crt') })).toMatch(/certificate|issuer|signature/)
  })
})

describe('anp down', () => {
  test('a dry run shows what would go and what would be put back, and changes nothing', async () => {
    const run = await karmadaNet('anp down --all --dry-run -oyaml', { hub: true })
    expect(run).toSucceed()
    expect(run.stdout).toContain('# host host, to be deleted')
    for (const name of ['anp-server-member1', 'anp-authority-member2', 'karmada-net-anp']) {
      expect(run.stdout).toContain(`name: ${name}`)
    }
    expect(run.stdout).toContain(`apiEndpoint: ${before.clusters[0]?.apiEndpoint}`)
    expect((await karmadaNet('anp status')).stdout).toMatch(/^member1 +up +2\/2 +2\/2 +match /m)
  })

  test('puts everything back', async () => {
    const run = await karmadaNet('anp down --all', { hub: true })
    expect(run).toSucceed()
    expect(run.stderr).toMatch(/^Disconnected: member1, member2/m)
    expect(await objectsOf('host')).toEqual([])
    for (const [index, member] of members.entries()) {
      expect(await objectsOf(member)).toEqual([])
      expect((await cluster(member)).spec).toEqual(before.clusters[index])
      expect(await command(member)).toEqual(before.commands[index])
      expect((await agent(member)).metadata.annotations).not.toHaveProperty('karmada-net.io/anp-previous-agent-flags')
    }
  })

  test('and a second run has nothing to do', async () => {
    const run = await karmadaNet('anp down --all')
    expect(run).toSucceed()
    expect(run.stderr).toMatch(/^Nothing to do/m)
    expect((await karmadaNet('anp status')).stdout).toMatch(/^member1 +- /m)
  })
})
