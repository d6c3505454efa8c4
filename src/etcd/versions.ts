/** What `etcd up` installs unless told otherwise. 3.6.11 and later can go on to 3.7. */
export const defaultVersion = '3.6.16'
export const defaultImage = 'gcr.io/etcd-development/etcd'

/** Complete reference of an image: the tag `vVERSION` where the repository is given without tag and digest. */
export function imageOf(image: string, version: string): string {
  const name = image.slice(image.lastIndexOf('/') + 1)
  return name.includes(':') || name.includes('@') ? image : `${image}:v${version}`
}

/** As `Array.sort` wants it; versions are `MAJOR.MINOR.PATCH`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map(version => version.split('.').map(Number))
  for (const index of [0, 1, 2]) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** `3.6` of `3.6.16`. */
export const minorOf = (version: string): string => version.split('.').slice(0, 2).join('.')

/** `3.6.16` of `3.6.16` or `v3.6.16`; undefined: no released version. */
export const parseVersion = (text: string): string | undefined => /^v?(\d+\.\d+\.\d+)$/.exec(text)?.[1]

/** Members older than this cannot be led over to the next minor without losing something. By the minor they come from. */
const readyForNext: Record<string, { from: string; why: string }> = {
  '3.5': { from: '3.5.32', why: 'older ones may hand the new member list over damaged' },
  '3.6': { from: '3.6.11', why: 'older ones may not work beside 3.7' },
}

/** Releases that are known to be good, by minor: what hints name. */
const goodRelease: Record<string, string> = { '3.5': '3.5.33', '3.6': '3.6.16', '3.7': '3.7.1' }

export interface UpgradeFacts {
  target: string
  /** What each member runs now. */
  members: { name: string; version: string }[]
  /** The version that the cluster works by: `3.5.0`. */
  cluster: string
}

export interface Refusal {
  text: string
  hint?: string | undefined
}

/**
 * Why the members cannot go to `target`; undefined: they can, also in the middle, where some have it already. Pure.
 * Down to an older minor goes as long as the cluster has not been raised; within a minor it always goes.
 */
export function whyNotUpgrade({ target, members, cluster }: UpgradeFacts): Refusal | undefined {
  if (minorOf(target) !== minorOf(cluster) && compareVersions(target, cluster) < 0) return tooLate(target, cluster)
  const before = members.filter(({ version }) => minorOf(version) !== minorOf(target))
  if (before.length === 0) return undefined
  // Those that have been raised already, in a run whose target was another.
  const back = before.filter(({ version }) => compareVersions(version, target) > 0)
  if (back.length === before.length) return undefined
  return back.length > 0 ? mixed(members) : (tooFar(target, before) ?? mixedPatches(before) ?? tooOld(target, before))
}

function tooLate(target: string, cluster: string): Refusal {
  return {
    text: `the cluster works by ${minorOf(cluster)} already: etcd ${target} would not start on its data, there is no way back by binary`,
    hint: 'only "etcd snapshot restore FILE" with a snapshot taken before the upgrade leads back, and loses what came after it',
  }
}

function tooFar(target: string, members: UpgradeFacts['members']): Refusal | undefined {
  const oldest = members.toSorted((a, b) => compareVersions(a.version, b.version))[0]?.version ?? target
  const [[major = 0, minor = 0], [toMajor = 0, toMinor = 0]] = [numbersOf(oldest), numbersOf(target)]
  if (major === toMajor && toMinor === minor + 1) return undefined
  const next = `${major}.${minor + 1}`
  return {
    text: `from ${minorOf(oldest)} to ${minorOf(target)} is more than one minor: etcd goes one at a time`,
    hint: `kubectl karmada-net etcd upgrade ${goodRelease[next] ?? `${next}.0`} first`,
  }
}

function mixedPatches(members: UpgradeFacts['members']): Refusal | undefined {
  return new Set(members.map(({ version }) => version)).size > 1 ? mixed(members) : undefined
}

function mixed(members: UpgradeFacts['members']): Refusal {
  const newest = members.toSorted((a, b) => compareVersions(b.version, a.version))[0]?.version
  return {
    text: `the members run different versions: ${listed(members)}`,
    hint: `bring them to one first: kubectl karmada-net etcd upgrade ${newest}`,
  }
}

function tooOld(target: string, members: UpgradeFacts['members']): Refusal | undefined {
  const need = readyForNext[minorOf(members[0]?.version ?? target)]
  const old = need && members.filter(({ version }) => compareVersions(version, need.from) < 0)
  if (!need || !old || old.length === 0) return undefined
  const minor = minorOf(need.from)
  return {
    text: `${minorOf(target)} needs every member at ${need.from} or later, ${need.why}: ${listed(old)}`,
    hint: `kubectl karmada-net etcd upgrade ${goodRelease[minor] ?? need.from} first`,
  }
}

const listed = (members: UpgradeFacts['members']): string =>
  members.map(({ name, version }) => `${name} ${version}`).join(', ')

const numbersOf = (version: string): number[] => version.split('.').map(Number)
