import { randomBytes, type X509Certificate } from 'node:crypto'
import type { Check, CheckGroup } from '../../checks/check.ts'
import { daysLeft, whyReplace } from '../../pki/inspect.ts'
import { certificatesIn } from '../../pki/pem.ts'
import { namesOf, renewBeforeDays } from '../certificates.ts'
import { EtcdError, UnreachableError } from '../client/errors.ts'
import { servedCertificate } from '../client/served.ts'
import type { EtcdClient } from '../client/types.ts'
import type { MemberSpec } from '../cluster.ts'
import { cureOf } from '../findings.ts'
import type { MemberView } from '../view.ts'
import { clock, diskLatency, freeDisk } from './machine.ts'
import { tryToEnter } from './refusal.ts'
import { passed, program, timed, type VerifyWorld } from './world.ts'

/** Probes are put below this, with a lease, and are removed again. */
const probePrefix = 'karmada-net.io/verify/'
const leaseSeconds = 60
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
      const found = await machine(spec.name).catch(() => undefined)
      const hint = found && etcd.driverOf(spec).acts ? cureOf(spec.name, found) : undefined
      if (!found || hint === undefined) throw error
      const detail = found.state === 'absent' ? 'its machine has nothing of it' : 'it is stopped'
      return { ok: false, detail, said: found.said, hint }
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
  const reasons = certificatesIn(authorities).map(authority =>
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

/**
 * etcd 3.6 keeps an old raft configuration for good where, not long after an upgrade from 3.5, members were changed and it was then
 * restarted twice: it follows the leader, and all that has to go through the leader waits for ever.
 */
const outOfStep = 'it follows the leader and answers from its own data, but nothing that needs the leader ends'

const answersAlone = (client: EtcdClient, key: string): Promise<boolean> =>
  client.range({ key, serializable: true }).then(
    () => true,
    () => false,
  )

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
      if (error instanceof EtcdError && /space exceeded|corrupt cluster/.test(error.said))
        return { ok: false, detail: error.said, hint: `${program} etcd alarms` }
      if (error instanceof UnreachableError && error.failure === 'timeout' && (await answersAlone(client, key)))
        return { ok: false, detail: outOfStep, hint: `${program} etcd member replace ${spec.name}` }
      throw error
    }
  },
})
