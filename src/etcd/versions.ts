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
