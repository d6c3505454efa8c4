import { randomBytes, type X509Certificate } from 'node:crypto'
import type { Check, CheckGroup, CheckResult } from '../../checks/check.ts'
import { daysLeft, whyReplace } from '../../pki/inspect.ts'
import { formatBytes } from '../bytes.ts'
import { adminIdentity, namesOf, renewBeforeDays } from '../certificates.ts'
import { createConnection } from '../client/connection.ts'
import { code, EtcdError } from '../client/errors.ts'
import { servedCertificate } from '../client/served.ts'
import { clientUrl, type MemberSpec } from '../cluster.ts'
import { bundled } from '../observe.ts'
import type { MemberView } from '../view.ts'
import { histogramIn, quantile } from './histogram.ts'
import { tryToEnter } from './refusal.ts'
import { passed, program, timed, type VerifyWorld } from './world.ts'

/** Probes are put below this, with a lease, and are removed again. */
export const probePrefix = 'karmada-net.io/verify/'
const leaseSeconds = 60
const mebibyte = 2 ** 20
/** etcd says "the clock difference against peer is too high" from here on. */
const maxSkewMs = 1000
/** What etcd's own guide wants of the 99th percentile: slower disks cost elections. Seconds. */
const maxFsyncSeconds = 0.01
/** Of fewer the slowest one alone would be judged. */
const fewestFsyncs = 100
const answerMs = 5000

/** From the outside in: does it answer, is it who it says, does it let strangers in, does it do its work, and on what. */
export function memberChecks(member: MemberView): CheckGroup<VerifyWorld> {
  const { spec, status } = member
  const serves: Check<VerifyWorld>[] = [writeRead(spec)]
  return {
    title: spec.name,
    checks: [
      answers(spec),
      certificates(spec),
      validity(spec),
      refuses(spec, 'client'),
      refuses(spec, 'peer'),
      // A learner refuses both: it is asked again once it has a vote.
      ...(status?.isLearner ? [] : serves),
      clock(spec),
      freeDisk(spec, status?.dbSizeInUse ?? 0),
      diskLatency(spec),
    ],
  }
}

const answers = (spec: MemberSpec): Check<VerifyWorld> => ({
  id: 'answers',
  title: 'answers',
  severity: 'error',
  async run({ etcd, machine }) {
    const client = etcd.clientOf(spec)
    try {
      await client.status()
    } catch (error) {
      const { state, said } = await machine(spec.name).catch(() => ({ state: 'unknown', said: undefined }))
      const known = etcd.driverOf(spec).acts && (state === 'absent' || state === 'stopped')
      if (!known) throw error
      return {
        ok: false,
        detail: state === 'absent' ? 'its machine has nothing of it' : 'it is stopped',
        said,
        hint: state === 'absent' ? `${program} etcd member replace ${spec.name}` : `${program} etcd up`,
      }
    }
    const { value, ms } = await timed(() => client.status())
    const role = value.isLearner ? 'learner' : value.leader === value.id ? 'leader' : 'follower'
    if (value.leader === 0n) return { ok: false, detail: 'knows no leader', hint: `${program} etcd status` }
    return passed(`${ms}, etcd ${value.version}, ${role}`)
  },
})

const certificates = (spec: MemberSpec): Check<VerifyWorld> => ({
  id: 'certificates',
  title: 'its certificates are for its address',
  severity: 'error',
  needs: ['answers'],
  async run(world) {
    for (const [role, served] of await servedBy(world, spec)) {
      const why = whyNot(served, world.authority, spec)
      if (why) return { ok: false, detail: `${role} certificate: ${why}`, hint: `${program} etcd certs rotate` }
    }
    return passed(`${namesOf(spec).join(', ')}; client and peer port`)
  },
})

/** Of one of the authorities that are trusted now, and for all names. */
function whyNot(served: X509Certificate, authorities: string, spec: MemberSpec): string | undefined {
  const need = { names: namesOf(spec), minDaysLeft: Number.NEGATIVE_INFINITY, now: new Date() }
  const reasons = bundled(authorities).map(authority =>
    whyReplace({ certificate: served.toString() }, { ...need, authority }),
  )
  return reasons.includes(undefined) ? undefined : reasons[0]
}

async function servedBy({ etcd }: VerifyWorld, { address }: MemberSpec): Promise<[string, X509Certificate][]> {
  const { ports } = etcd.state.spec
  const limits = { timeoutMs: answerMs, signal: etcd.signal }
  const [server, peer] = await Promise.all([
    servedCertificate(address, ports.client, undefined, limits),
    servedCertificate(address, ports.peer, undefined, limits),
  ])
  return [
    ['server', server],
    ['peer', peer],
  ]
}

const validity = (spec: MemberSpec): Check<VerifyWorld> => ({
  id: 'certificates-valid',
  title: `its certificates are valid for ${renewBeforeDays} days and more`,
  severity: 'warning',
  needs: ['answers'],
  async run(world) {
    const served = await servedBy(world, spec)
    const now = new Date(world.etcd.now())
    const [first] = served
      .map(([role, certificate]) => ({ role, certificate, days: daysLeft(certificate.toString(), now) }))
      .toSorted((a, b) => a.days - b.days)
    if (!first) return { ok: false }
    const until = first.certificate.validToDate.toISOString().slice(0, 10)
    const detail = `${first.days} days left, until ${until}`
    if (first.days >= renewBeforeDays) return passed(detail)
    return { ok: false, detail: `${first.role}: ${detail}`, hint: `${program} etcd certs rotate` }
  },
})

const refuses = (spec: MemberSpec, port: 'client' | 'peer'): Check<VerifyWorld> => ({
  id: `${port}-port-refuses`,
  title: `${port} port refuses strangers`,
  severity: 'error',
  needs: ['answers'],
  async run({ etcd, foreign }) {
    const limits = { timeoutMs: answerMs, signal: etcd.signal }
    const number = etcd.state.spec.ports[port]
    const without = await tryToEnter(spec.address, number, undefined, limits)
    const other = await tryToEnter(spec.address, number, foreign, limits)
    const hint = `its flags are not those of this plugin: ${program} etcd up`
    if (!without.refused)
      return { ok: false, detail: 'lets in a client without a certificate', said: without.said, hint }
    if (!other.refused)
      return { ok: false, detail: 'lets in a certificate of another authority', said: other.said, hint }
    return passed(`none: ${without.said}; foreign: ${other.said}`)
  },
})

const writeRead = (spec: MemberSpec): Check<VerifyWorld> => ({
  id: 'write-read',
  title: 'a write, and a linearizable read of it',
  severity: 'error',
  needs: ['answers'],
  async run({ etcd }) {
    const client = etcd.clientOf(spec)
    const key = `${probePrefix}${spec.name}/${randomBytes(6).toString('hex')}`
    const value = randomBytes(12).toString('hex')
    try {
      const lease = await client.grantLease(leaseSeconds)
      try {
        const written = await timed(() => client.put(key, value, { lease }))
        const read = await timed(() => client.range({ key }))
        if (read.value.kvs[0]?.value.toString() !== value)
          return { ok: false, detail: 'read something else than was written' }
        return passed(`write ${written.ms}, read ${read.ms}`)
      } finally {
        // Takes the probe with it. Should that fail, the lease runs out by itself.
        await client.revokeLease(lease).catch(() => {})
      }
    } catch (error) {
      if (error instanceof EtcdError && error.code === code.resourceExhausted)
        return { ok: false, detail: error.said, hint: `${program} etcd alarms --disarm` }
      throw error
    }
  },
})

const clock = (spec: MemberSpec): Check<VerifyWorld> => ({
  id: 'clock',
  title: "its clock is this machine's",
  severity: 'warning',
  async run({ machine }) {
    const { clockSkewMs } = await machine(spec.name)
    return judgeClock(clockSkewMs)
  },
})

/** Pure. */
export function judgeClock(skewMs: number | undefined): CheckResult {
  if (skewMs === undefined) return passed('cannot be seen from here')
  const detail = `${Math.abs(Math.round(skewMs))} ms ${skewMs < 0 ? 'behind' : 'ahead'}`
  if (Math.abs(skewMs) <= maxSkewMs) return passed(detail)
  return { ok: false, detail, hint: 'start a time service (chrony, systemd-timesyncd) on the machine that is wrong' }
}

const freeDisk = (spec: MemberSpec, dbSizeInUse: number): Check<VerifyWorld> => ({
  id: 'disk-free',
  title: 'its disk has room',
  severity: 'error',
  run: async ({ machine }) => judgeDisk((await machine(spec.name)).freeBytes, dbSizeInUse, spec.name),
})

/** etcd works on for a while on a full disk, and dies at its next raft snapshot. Pure. */
export function judgeDisk(freeBytes: number | undefined, dbSizeInUse: number, member: string): CheckResult {
  if (freeBytes === undefined) return passed('cannot be seen from here')
  // A raft snapshot, or a defragmentation, writes all that is in use once more; log files are made of 64 MiB each.
  const needed = dbSizeInUse + 256 * mebibyte
  const detail = `${formatBytes(freeBytes)} free`
  if (freeBytes >= needed) return passed(detail)
  return {
    ok: false,
    detail: `${detail}, ${formatBytes(needed)} are needed`,
    hint: `make room on its machine, or give it another disk: ${program} etcd member replace ${member}`,
  }
}

const diskLatency = (spec: MemberSpec): Check<VerifyWorld> => ({
  id: 'disk-latency',
  title: 'its disk is fast enough',
  severity: 'warning',
  needs: ['answers'],
  async run({ etcd }) {
    const connection = createConnection(clientUrl(spec, etcd.state.spec), () => adminIdentity(etcd.store))
    try {
      const limits = { timeoutMs: answerMs, signal: etcd.signal }
      const { status, text } = await connection.ask({ method: 'GET', path: '/metrics', repeatable: true }, limits)
      return status === 200 ? judgeFsync(text) : passed('not told: no /metrics on the client port')
    } finally {
      connection.close()
    }
  },
})

/** Pure. */
export function judgeFsync(metrics: string): CheckResult {
  const histogram = histogramIn(metrics, 'etcd_disk_wal_fsync_duration_seconds')
  const seconds = histogram && quantile(histogram, 0.99)
  if (!histogram || seconds === undefined) return passed('nothing written yet')
  const detail = `fsync of the log: 99% within ${Number((seconds * 1000).toPrecision(2))} ms, of ${histogram.count}`
  if (seconds <= maxFsyncSeconds || histogram.count < fewestFsyncs) return passed(detail)
  return { ok: false, detail, hint: 'etcd wants 10 ms: give its log a disk of its own, or an SSD' }
}
