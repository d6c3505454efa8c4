import { defineCommand } from '../../cli/command.ts'
import { type FlagValues, flag } from '../../cli/flag.ts'
import { outputFlag } from '../../cli/flags.ts'
import { UserError } from '../../errors.ts'
import type { Asked } from '../../vip/objects.ts'
import type { VipSettings } from '../../vip/settings.ts'
import type { Installation } from '../../vip/world.ts'
import {
  clusterFlags,
  imageFlags,
  openCluster,
  schedulerFlag,
  staticServerFlag,
  tlsServerNameFlag,
  vipMutatingFlags,
  worldOf,
} from './shared.ts'

const upFlags = {
  vip: flag.string('The virtual IP: an address that nobody has, such as 198.18.0.1'),
  port: flag.count('Its port; default: the one of the API servers', { min: 1, max: 65_535 }),
  scheduler: schedulerFlag,
  nodes: flag.string('Only nodes with these labels; default: all that run Linux'),
  staticServer: staticServerFlag,
  tlsServerName: tlsServerNameFlag,
  connectEvery: flag.duration('How often each node connects to each API server to see that it lives; default: 300ms'),
  connectTimeout: flag.duration('How long such a connection may take; default: 300ms'),
  readyEvery: flag.duration('How often each node asks each API server whether it is ready; default: 3s'),
  readyTimeout: flag.duration('How long the answer may take; default: 2s'),
  fall: flag.count('So many failures in a row, and an API server is down; default: 2', { min: 1 }),
  rise: flag.count('So many answers in a row, and it is up again; default: 2', { min: 1 }),
  statusPort: flag.count("The port of each node that the agent's status and metrics are on; default: 9819", {
    min: 1,
    max: 65_535,
  }),
  repoint: flag.string('Move clients to it: kubelet, control-plane-kubelet, kube-proxy, cluster-info'),
  ...imageFlags,
}

export const vipUp = defineCommand({
  name: 'vip up',
  summary: 'Give every node a virtual IP that leads to all API servers',
  description: `Brings an agent to every node, which makes the virtual IP an address of the node and spreads connections to it over the API
servers that live: it finds a dead one within a second, and those that come and go by itself. It begins with one node, and goes on when that
one reaches the API servers. The rules are the kernel's: they hold while the agent is restarted, and are back before kubelet after a boot.

Nobody uses the virtual IP by this alone. --repoint moves clients to it, in the end and one node after the other: each node must be Ready
by it before the next begins, or its kubelet is put back. Kubelets of control-plane nodes keep their own API server unless
control-plane-kubelet is named: they start it. cluster-info is what "kubeadm join" goes by. Run again, it changes only what is not as it should be. "vip down" takes everything back.`,
  examples: [
    ['On every node', 'vip up --vip 198.18.0.1'],
    ['See what would be applied', 'vip up --vip 198.18.0.1 --dry-run=client -o yaml'],
    ['Workers only', "vip up --vip 198.18.0.1 --nodes '!node-role.kubernetes.io/control-plane'"],
    ['Move the kubelets of workers, too', 'vip up --vip 198.18.0.1 --repoint kubelet'],
    ['Another scheduler', 'vip up --scheduler wlc'],
    ['Fewer probes, where nodes are many', 'vip up --connect-every 1s --ready-every 10s'],
  ],
  flags: { ...clusterFlags, ...vipMutatingFlags, ...upFlags, output: outputFlag(['yaml', 'json', 'name']) },
  async run({ flags, session }) {
    const { findInstallation } = await import('../../vip/world.ts')
    const { preflight, upSteps } = await import('../../vip/up/steps.ts')
    const { certified } = await import('../../vip/up/certificates-step.ts')
    const { perform } = await import('../../cli/perform.ts')
    const client = await openCluster(flags, session)
    const world = worldOf(client, session, flags)
    const found = await findInstallation(client, { signal: session.signal })
    const settings = await settingsFor(flags, found, () => apiPort(world))
    const asked = await askedFor(flags, found)
    const { parseClients } = await import('../../vip/repoint/target.ts')
    const repoint = flags.repoint === undefined ? [] : parseClients(flags.repoint)
    const job = { settings, asked, found, otherName: flags.tlsServerName !== undefined, repoint }
    const steps = [{ steps: upSteps(job) }]
    const { dryRun, output } = flags
    if (dryRun !== 'none') {
      if (dryRun === 'client') {
        await preflight(job, world)
        await certified(job, world)
      }
      await perform(session, steps, world, { dryRun, output })
      return
    }
    session.say(`Virtual IP ${settings.vip} port ${settings.port} on cluster ${client.context}\n`)
    const started = session.io.now()
    const { changed } = await perform(session, steps, world, { undo: () => 'vip down' })
    session.say()
    if (!changed) return session.say('Nothing to do: every node has it, as this version writes it.')
    session.say(`Every node reaches the API servers by it (${Math.round((session.io.now() - started) / 1000)}s).`)
    session.say('Try:  kubectl karmada-net vip status')
  },
})

type UpFlags = FlagValues<typeof upFlags>

/** What the flags say, else what an earlier run was told, else what fits nearly everybody. Throws UserError. */
async function settingsFor(
  flags: UpFlags,
  found: Installation | undefined,
  port: () => Promise<number>,
): Promise<VipSettings> {
  const { readSettings } = await import('../../vip/settings.ts')
  const kept = found?.settings
  const vip = flags.vip ?? kept?.vip
  if (vip === undefined) {
    throw new UserError('which address is to be the virtual IP?', {
      hint: 'one that nobody has, in most networks: kubectl karmada-net vip up --vip 198.18.0.1',
    })
  }
  const given = {
    ...kept,
    vip,
    port: flags.port ?? kept?.port ?? (await port()),
    ...(flags.scheduler !== undefined && { scheduler: flags.scheduler }),
    ...(flags.staticServer.length > 0 && { staticServers: flags.staticServer }),
    ...(flags.tlsServerName !== undefined && { tlsServerName: flags.tlsServerName }),
    probe: { ...kept?.probe, ...probesOf(flags) },
    ...present('statusPort', flags.statusPort ?? kept?.statusPort),
  }
  const wanted = withHint(() => readSettings(JSON.stringify(given)))
  if (kept && (kept.vip !== wanted.vip || kept.port !== wanted.port)) {
    throw new UserError(
      `the virtual IP of this cluster is ${kept.vip} port ${kept.port}: it cannot move while it is used`,
      {
        hint: 'kubectl karmada-net vip down first',
      },
    )
  }
  return wanted
}

/** Only what was said: the rest is as it was. */
function probesOf({ connectEvery, connectTimeout, readyEvery, readyTimeout, fall, rise }: UpFlags) {
  return {
    ...present('connectEveryMs', connectEvery),
    ...present('connectTimeoutMs', connectTimeout),
    ...present('readyEveryMs', readyEvery),
    ...present('readyTimeoutMs', readyTimeout),
    ...present('fall', fall),
    ...present('rise', rise),
  }
}

/** What the settings say of a field is said of the flag behind it. */
function withHint<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof UserError) || error.hint !== undefined) throw error
    throw new UserError(error.message, {
      hint: 'for example: vip up --vip 198.18.0.1 --port 6443 --status-port 9819',
      cause: error,
    })
  }
}

async function askedFor({ nodes, image, imageRegistry }: UpFlags, found: Installation | undefined): Promise<Asked> {
  const { parseSelector } = await import('../../vip/selector.ts')
  const kept = found?.asked
  const pick = <T>(given: T | undefined, before: T | undefined) => given ?? before
  return {
    nodes: nodes === undefined ? (kept?.nodes ?? []) : parseSelector(nodes),
    // JSON knows no undefined: what is not there must not be there.
    ...present('image', pick(image, kept?.image)),
    ...present('imageRegistry', pick(imageRegistry, kept?.imageRegistry)),
  }
}

const present = <K extends string, T>(key: K, value: T | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { [key in K]?: T }

/** Clients keep their port when they move to the virtual IP. */
async function apiPort(world: ReturnType<typeof worldOf>): Promise<number> {
  const { readFacts } = await import('../../vip/up/facts.ts')
  const { apiServers } = await readFacts(world.client, [], world)
  return apiServers[0]?.port ?? 6443
}
