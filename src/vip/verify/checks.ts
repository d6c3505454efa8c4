import type { Check, CheckGroup, CheckResult } from '../../checks/check.ts'
import { counted } from '../../counted.ts'
import type { KubeClient } from '../../kube/types.ts'
import { formatEndpoint } from '../address.ts'
import { unreached } from '../judge.ts'
import { checkKubeProxy } from '../kube-proxy/check.ts'
import { judgeRunning } from '../kube-proxy/judge.ts'
import { namespace } from '../names.ts'
import type { NodeReport } from '../report.ts'
import { type AgentPod, agentPods, askAgents, type NodeNews } from '../reports.ts'
import { laterText } from '../status.ts'
import { readFacts } from '../up/facts.ts'
import { few } from '../up/objections.ts'
import type { Installation } from '../world.ts'
import { byFingerprint, judgeCertificates, judgeHost, judgePod } from './judge.ts'
import { passagesFromPod } from './pod.ts'
import type { HostPassages } from './report.ts'

/** What the checks of one cluster look at. */
export interface VerifyWorld {
  client: KubeClient
  found: Installation
  /** Of every node that it is for, in the order of their names. */
  news: NodeNews[]
  pods: ReadonlyMap<string, AgentPod>
  /** Through the virtual IP, by node: of the check that asked. */
  passages: Map<string, HostPassages>
  signal: AbortSignal
}

/** All its connections in a row may run into their limits. Milliseconds. */
const verifyMs = 60_000

export async function openVerify(client: KubeClient, found: Installation, signal: AbortSignal): Promise<VerifyWorld> {
  const [{ nodes }, pods] = await Promise.all([
    readFacts(client, found.asked.nodes, { signal }),
    agentPods(client, signal),
  ])
  const told = new Map((await askAgents(client, pods, found.settings.statusPort, signal)).map(one => [one.node, one]))
  const names = [...new Set([...nodes.map(({ name }) => name), ...told.keys()])].sort()
  const known = new Map(nodes.map(node => [node.name, node]))
  const missing = (node: string) => {
    if (known.get(node)?.stage === 'later') return laterText
    return known.get(node)?.ready === false ? 'the node is not Ready' : 'it has no agent'
  }
  const news = names.map((node): NodeNews => told.get(node) ?? { node, pod: '', error: missing(node) })
  return { client, found, news, pods, passages: new Map(), signal }
}

/** Hop by hop from the node's own state to a pod's connections, for each of these nodes; then what all have in common. */
export const verifyGroups = (nodes: readonly string[]): CheckGroup<VerifyWorld>[] => [
  ...nodes.map(node => ({ title: node, checks: nodeChecks(node) })),
  { title: 'kube-proxy', checks: [kubeProxyCheck] },
]

const status = 'kubectl karmada-net vip status'

function nodeChecks(node: string): Check<VerifyWorld>[] {
  const aboutReport = (
    id: string,
    title: string,
    judge: (report: NodeReport, world: VerifyWorld) => CheckResult,
    severity: 'error' | 'warning' = 'error',
  ): Check<VerifyWorld> => ({
    ...{ id, title, severity, needs: ['agent'] },
    run: async world => judge(reportOf(world, node), world),
  })
  return [
    {
      id: 'agent',
      title: 'agent answers',
      severity: 'error',
      async run(world) {
        const news = world.news.find(one => one.node === node)
        if (news?.report) return { ok: true, detail: `v${news.report.version}` }
        const hint = `kubectl -n ${namespace} logs ${news?.pod || 'daemonset/karmada-net-vip'} --all-containers`
        return { ok: false, detail: news?.error ?? 'it has no agent', hint }
      },
    },
    aboutReport('table', 'virtual server', judgeTable),
    aboutReport('route', 'local route', ({ vip, route }) =>
      route.present
        ? { ok: true, detail: `${vip} from ${route.source ?? 'the node'}` }
        : { ok: false, detail: route.error ?? `there is none to ${vip}`, hint: status },
    ),
    aboutReport('sysctls', 'sysctls', judgeSysctls),
    aboutReport('boot', 'next boot', judgeBoot, 'warning'),
    aboutReport('servers', 'API servers', judgeServers),
    {
      id: 'host',
      title: 'from the node',
      severity: 'error',
      needs: ['table', 'route'],
      async run(world) {
        const passages = await passagesFromHost(world, node)
        world.passages.set(node, passages)
        return judgeHost(passages, reportOf(world, node))
      },
    },
    {
      id: 'kube-proxy',
      title: 'kube-proxy',
      severity: 'error',
      needs: ['agent'],
      run: async ({ passages, found: { settings } }) => judgeRunning(passages.get(node)?.kubeProxy, settings.vip),
    },
    {
      id: 'certificates',
      title: 'certificates',
      severity: 'error',
      needs: ['agent'],
      async run({ passages, found: { settings } }) {
        const { through, straight } = passages.get(node) ?? { through: [], straight: [] }
        return judgeCertificates([...through, ...straight], settings.vip, settings.tlsServerName)
      },
    },
    {
      id: 'pod',
      title: 'from a pod',
      severity: 'error',
      needs: ['table', 'route'],
      async run({ client, found, passages, signal }) {
        const { through, straight } = passages.get(node) ?? { through: [], straight: [] }
        return judgePod(await passagesFromPod(client, found, node, signal), byFingerprint([...through, ...straight]))
      },
    },
  ]
}

function reportOf({ news }: VerifyWorld, node: string): NodeReport {
  const found = news.find(one => one.node === node)?.report
  if (!found) throw new Error(`no report of ${node}`)
  return found
}

function judgeTable(
  { table, scheduler, servers, ...report }: NodeReport,
  { found: { settings } }: VerifyWorld,
): CheckResult {
  const detail = `${formatEndpoint({ host: report.vip, port: report.port })}, ${scheduler}`
  if (report.vip !== settings.vip || report.port !== settings.port || scheduler !== settings.scheduler)
    return { ok: false, detail: `${detail}: the node has not seen the settings`, hint: status }
  if (!table.present) return { ok: false, detail: table.error ?? `${detail} is not complete`, hint: status }
  return { ok: true, detail: `${detail}, ${counted(servers.filter(({ weight }) => weight > 0).length, 'API server')}` }
}

function judgeSysctls({ sysctls }: NodeReport): CheckResult {
  const off = sysctls.filter(({ wanted, found }) => wanted !== found)
  if (off.length === 0) return { ok: true, detail: `${sysctls.length} of ${sysctls.length}` }
  return {
    ok: false,
    detail: off.map(({ name, wanted, found }) => `${name} is ${found ?? 'missing'} instead of ${wanted}`).join(', '),
    hint: `on the node: sysctl -w ${off.map(({ name, wanted }) => `${name}=${wanted}`).join(' ')}`,
  }
}

function judgeBoot({ boot, node }: NodeReport): CheckResult {
  if (boot.error !== undefined) return { ok: false, detail: boot.error }
  if (boot.installed) return { ok: true, detail: 'rules come back before kubelet' }
  const again = `kubectl -n ${namespace} delete pod --field-selector spec.nodeName=${node} -l app.kubernetes.io/component=vip`
  return boot.kind === 'systemd'
    ? { ok: false, detail: 'its files are missing', hint: again }
    : { ok: false, detail: 'the node has no systemd: rules come back with the agent, after kubelet' }
}

/** Who is down for all nodes is no fault of this one, and one all the same. */
function judgeServers(report: NodeReport): CheckResult {
  const lost = unreached(report)
  if (lost.length > 0) return { ok: false, detail: `not reached: ${few(lost)}`, hint: status }
  const count = (state: string) => report.servers.filter(server => server.state === state).length
  const others = ['drained', 'draining'].filter(state => count(state) > 0).map(state => `${count(state)} ${state}`)
  return { ok: count('up') > 0, detail: [`${count('up')} of ${report.servers.length} up`, ...others].join(', ') }
}

/** The agent's own connections. Throws what it says instead. */
async function passagesFromHost({ client, found, pods, signal }: VerifyWorld, node: string): Promise<HostPassages> {
  const pod = pods.get(node)?.metadata.name ?? ''
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}:${found.settings.statusPort}/proxy/verify`
  const { status: code, text } = await client.raw(path, { signal, timeoutMs: verifyMs })
  if (code !== 200) throw new Error(`the agent answers ${code}: ${text.slice(0, 200).trim()}`)
  return JSON.parse(text) as HostPassages
}

const kubeProxyCheck: Check<VerifyWorld> = {
  id: 'kube-proxy',
  title: 'leaves the virtual server alone',
  severity: 'error',
  run: async ({ client, found, signal }) => checkKubeProxy({ client, signal }, found),
}
