import type { Check, CheckResult } from '../../checks/check.ts'
import { formatBytes } from '../bytes.ts'
import { readMetrics } from '../client/metrics.ts'
import type { MemberSpec } from '../cluster.ts'
import { histogramIn, quantile } from './histogram.ts'
import { passed, program, type VerifyWorld } from './world.ts'

const mebibyte = 2 ** 20
/** A full disk that somebody has made room on since is not held against it for longer. Milliseconds. */
const complaintMs = 10 * 60_000
/** etcd says "the clock difference against peer is too high" from here on. */
const maxSkewMs = 1000
/** What etcd's own guide wants of the 99th percentile: slower disks cost elections. Seconds. */
const maxFsyncSeconds = 0.01
/** Of fewer the slowest one alone would be judged. */
const fewestFsyncs = 100

export const clock = (spec: MemberSpec): Check<VerifyWorld> => ({
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

export const freeDisk = (spec: MemberSpec, dbSizeInUse: number): Check<VerifyWorld> => ({
  id: 'disk-free',
  title: 'its disk has room',
  severity: 'error',
  async run({ etcd, machine }) {
    const { freeBytes } = await machine(spec.name)
    if (freeBytes !== undefined) return judgeDisk(freeBytes, dbSizeInUse, spec.name)
    const driver = etcd.driverOf(spec)
    return judgeLog(driver.acts ? await driver.logs(500) : '', etcd.now(), spec.name)
  },
})

/** etcd works on for a while on a full disk, and dies at its next raft snapshot. Pure. */
export function judgeDisk(freeBytes: number, dbSizeInUse: number, member: string): CheckResult {
  // A raft snapshot, or a defragmentation, writes all that is in use once more; log files are made of 64 MiB each.
  const needed = dbSizeInUse + 256 * mebibyte
  const detail = `${formatBytes(freeBytes)} free`
  if (freeBytes >= needed) return passed(detail)
  return {
    ok: false,
    detail: `${detail}, ${formatBytes(needed)} are needed`,
    hint: roomHint(member),
  }
}

const roomHint = (member: string): string =>
  `make room on its machine, or give it another disk: ${program} etcd member replace ${member}`

/** Where the disk itself cannot be asked: etcd complains when it makes its next log file. Pure. */
export function judgeLog(log: string, now: number, member: string): CheckResult {
  const complaint = log.split('\n').findLast(line => /no space left on device|failed to preallocate space/.test(line))
  const at = Date.parse(/"ts":"([^"]+)"/.exec(complaint ?? '')?.[1] ?? '')
  if (complaint === undefined || now - at > complaintMs)
    return passed('unknown: it cannot be seen from here; its log does not complain')
  return { ok: false, detail: 'its log says that it is full', said: complaint.trim(), hint: roomHint(member) }
}

export const diskLatency = (spec: MemberSpec): Check<VerifyWorld> => ({
  id: 'disk-latency',
  title: 'its disk is fast enough',
  severity: 'warning',
  needs: ['answers'],
  async run({ etcd }) {
    const metrics = await readMetrics(etcd, spec)
    return metrics === undefined ? passed('not told: no /metrics on the client port') : judgeFsync(metrics)
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
