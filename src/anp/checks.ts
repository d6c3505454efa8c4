import { connect } from 'node:tls'
import type { Check, CheckGroup, CheckResult } from '../checks/check.ts'
import { counted } from '../counted.ts'
import { type Cluster, clusterRef, memberThroughKarmada } from '../karmada/cluster.ts'
import { notApplied, type Work, workRef } from '../karmada/work.ts'
import type { KubeClient, KubeObject } from '../kube/types.ts'
import { readAgent } from './agent-flags.ts'
import { ConnectRefused, type MemberLogin, openTunnel, secure } from './dial.ts'
import { readCertificates } from './keys.ts'
import { memberLogin } from './login.ts'
import { connectPort, proxyUrl, workName } from './names.ts'
import { agrees } from './preflight.ts'
import type { Recorded } from './record.ts'
import { messageIn } from './said.ts'
import { connectedAgents, isReadyPod, type Pod, podRef, serverPods } from './servers.ts'
import { hostPort } from './settings.ts'

/** What the checks of one plane look at. */
export interface CheckWorld {
  host: KubeClient
  karmada: KubeClient
  namespace: string
  signal: AbortSignal
}

/** One member to be checked. */
export interface CheckedMember {
  member: string
  recorded: Recorded
}

/** How long one answer may take. Milliseconds. */
const patienceMs = 10_000

/** The real path of Karmada's requests to one member, hop by hop from the host; the first that fails is where to look. */
export function tunnelChecks({ member, recorded }: CheckedMember): CheckGroup<CheckWorld> {
  const target = hostPort(recorded.apiServer)
  const fix = `kubectl karmada-net anp up ${member}`
  const checks: Check<CheckWorld>[] = [
    {
      id: 'servers',
      title: 'proxy servers ready',
      severity: 'error',
      async run(world) {
        const pods = await podsOf(world, member)
        const ready = pods.filter(isReadyPod).length
        return {
          ok: ready > 0,
          detail: `${ready}/${pods.length}`,
          ...(ready === 0 && { hint: `a proxy server is ready once an agent of ${member} is connected` }),
        }
      },
    },
    {
      id: 'gateway',
      title: `gateway answers on ${hostPort(recorded.gateway)}`,
      // Members must reach it; this machine need not.
      severity: 'warning',
      run: world => checkGateway(world, member, recorded),
    },
    {
      id: 'agents',
      title: 'agents connected',
      severity: 'error',
      run: world => checkAgents(world, member, hostPort(recorded.gateway)),
    },
    {
      id: 'connect',
      title: `CONNECT ${target}`,
      severity: 'error',
      needs: ['agents'],
      run: world =>
        onEveryServer(world, member, async pod => {
          const stream = await openTunnel(world.host, podRef(pod), connectPort, target, patience(world))
          stream.destroy()
        }),
    },
    {
      id: 'tls',
      title: "API server's name and authority",
      severity: 'error',
      needs: ['connect'],
      async run(world) {
        const login = await loginOf(world, member)
        return timed(async () => {
          const pod = (await podsOf(world, member)).find(isReadyPod)
          if (!pod) throw new Error('no proxy server is ready')
          const stream = await openTunnel(world.host, podRef(pod), connectPort, target, patience(world))
          const socket = await secure(stream, recorded.apiServer, login.authority)
          socket.destroy()
          return socket.getProtocol() ?? ''
        })
      },
    },
    {
      id: 'refused',
      title: 'any other target is refused',
      severity: 'error',
      needs: ['connect'],
      run: world => checkRefusal(world, member),
    },
    {
      id: 'cluster',
      title: 'Cluster.spec and karmada-agent flags agree',
      severity: 'error',
      async run({ karmada, namespace }) {
        const cluster = await karmada.get<Cluster>(clusterRef(member))
        const expected = proxyUrl(member, namespace)
        if (cluster.spec.proxyURL !== expected) {
          return { ok: false, detail: `proxyURL is ${cluster.spec.proxyURL || 'empty'}, not ${expected}`, hint: fix }
        }
        const agent = await readAgent(memberThroughKarmada(karmada, member), member)
        return agrees(agent, cluster)
          ? { ok: true }
          : { ok: false, detail: 'its next restart would be a crash loop', hint: fix }
      },
    },
    {
      id: 'readyz',
      title: `GET /readyz through clusters/${member}/proxy`,
      severity: 'error',
      run: world => timed(() => get(world, member, '/readyz')),
    },
    {
      id: 'identity',
      title: 'it is the cluster that was registered',
      severity: 'error',
      needs: ['readyz'],
      async run(world) {
        const { spec } = await world.karmada.get<Cluster>(clusterRef(member))
        const { metadata } = JSON.parse(await get(world, member, '/api/v1/namespaces/kube-system')) as KubeObject
        const ok = metadata.uid === spec.id
        return { ok, detail: `kube-system UID ${metadata.uid}${ok ? '' : `, registered was ${spec.id}`}` }
      },
    },
    {
      id: 'nodes',
      title: 'list of its nodes',
      severity: 'error',
      needs: ['readyz'],
      run: world =>
        timed(async () => {
          const { items } = JSON.parse(await get(world, member, '/api/v1/nodes?limit=500')) as { items: unknown[] }
          return counted(items.length, 'node')
        }),
    },
    {
      id: 'logs',
      title: 'log stream of a pod',
      severity: 'error',
      needs: ['readyz'],
      run: world => checkLogs(world, member),
    },
  ]
  return { title: member, checks }
}

const podsOf = ({ host, namespace }: CheckWorld, member: string): Promise<Pod[]> => serverPods(host, member, namespace)

const patience = ({ signal }: CheckWorld): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])

const loginOf = async ({ karmada }: CheckWorld, member: string): Promise<MemberLogin> =>
  memberLogin(karmada, await karmada.get<Cluster>(clusterRef(member)))

/** Runs it and says how long it took. */
async function timed(work: () => Promise<string>): Promise<CheckResult> {
  const started = performance.now()
  const detail = await work()
  return { ok: true, detail: [`${Math.round(performance.now() - started)} ms`, detail].filter(Boolean).join(', ') }
}

/** A GET of the member's API through Karmada, as any user of it. Throws what the first broken hop said. */
async function get({ karmada, signal }: CheckWorld, member: string, path: string): Promise<string> {
  const { status, text } = await memberThroughKarmada(karmada, member).raw(path, { signal, timeoutMs: patienceMs })
  if (status !== 200) throw new Error(messageIn(text) || `HTTP ${status}`)
  return text
}

async function checkAgents(world: CheckWorld, member: string, gateway: string): Promise<CheckResult> {
  const { host, karmada } = world
  const pods = await podsOf(world, member)
  const counts = await Promise.all(pods.map(pod => connectedAgents(host, podRef(pod), patience(world))))
  const connected = counts.filter(count => count > 0).length
  const detail = `${connected} of ${pods.length} proxy servers, ${counts.join(' + ')} connections`
  if (connected > 0) return { ok: true, detail }
  const work = await karmada.find<Work>(workRef(member, workName))
  return {
    ok: false,
    detail: `0 of ${pods.length} proxy servers`,
    said: work && notApplied(work),
    hint: `pods of ${member} must reach ${gateway}; look there: kubectl logs deployment/anp-agent`,
  }
}

async function onEveryServer(
  world: CheckWorld,
  member: string,
  work: (pod: Pod) => Promise<void>,
): Promise<CheckResult> {
  const pods = (await podsOf(world, member)).filter(isReadyPod)
  try {
    return await timed(async () => {
      for (const pod of pods) await work(pod)
      return `${pods.length} of ${pods.length} servers`
    })
  } catch (error) {
    if (!(error instanceof ConnectRefused)) throw error
    return { ok: false, detail: `HTTP ${error.status}`, said: error.said, hint: `kubectl karmada-net anp up ${member}` }
  }
}

/** The kubelet's own port is what an open tunnel would be abused for. */
async function checkRefusal(world: CheckWorld, member: string): Promise<CheckResult> {
  const pod = (await podsOf(world, member)).find(isReadyPod)
  if (!pod) return { ok: false, detail: 'no proxy server is ready' }
  const target = '127.0.0.1:10250'
  try {
    const stream = await openTunnel(world.host, podRef(pod), connectPort, target, patience(world))
    stream.destroy()
    return { ok: false, detail: `CONNECT ${target} was let through`, hint: `kubectl karmada-net anp up ${member}` }
  } catch (error) {
    if (error instanceof ConnectRefused && error.status === 403) return { ok: true, detail: `CONNECT ${target}: 403` }
    throw error
  }
}

/** The proxy server shows its certificate through the gateway: the member's name was read and led to the right server. */
async function checkGateway(
  { host, namespace, signal }: CheckWorld,
  member: string,
  { gateway }: Recorded,
): Promise<CheckResult> {
  const { authority } = await readCertificates(host, member, namespace)
  if (!authority)
    return { ok: false, detail: 'its certificates are gone', hint: `kubectl karmada-net anp up ${member}` }
  return timed(
    () =>
      new Promise((resolve, reject) => {
        const socket = connect({
          ...gateway,
          // As the agent's own: the member's name for the gateway, HTTP/2 for the proxy server.
          ALPNProtocols: [`karmada-net.${member}`, 'h2'],
          ca: authority.certificate,
          minVersion: 'TLSv1.3',
        })
        const stop = () => socket.destroy(new Error(`no answer in ${patienceMs / 1000}s`))
        const timer = setTimeout(stop, patienceMs)
        signal.addEventListener('abort', stop, { once: true })
        socket.once('secureConnect', () => resolve("TLS passes through to the member's proxy server"))
        socket.once('error', reject)
        socket.once('close', () => {
          clearTimeout(timer)
          reject(new Error('connection closed: no proxy server for this member'))
        })
        socket.once('secureConnect', () => socket.destroy())
      }),
  )
}

/** karmada-agent's own: it is there, and it talks. */
async function checkLogs(world: CheckWorld, member: string): Promise<CheckResult> {
  const list = JSON.parse(await get(world, member, '/api/v1/pods?limit=500')) as { items: Pod[] }
  const running = list.items.filter(({ status }) => status?.phase === 'Running')
  const pod = running.find(({ metadata }) => metadata.name.startsWith('karmada-agent')) ?? running[0]
  if (!pod) return { ok: false, detail: 'no pod runs in it' }
  const { name, namespace } = pod.metadata
  const container = pod.spec?.containers[0]?.name ?? ''
  return timed(async () => {
    const stop = new AbortController()
    const signal = AbortSignal.any([patience(world), stop.signal])
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/log?follow=true&tailLines=1&container=${container}`
    const chunks = await memberThroughKarmada(world.karmada, member).stream(path, { signal })
    for await (const _ of chunks) break
    stop.abort()
    return `${namespace}/${name}`
  })
}
