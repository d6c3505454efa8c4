import { UserError } from '../errors.ts'
import type { Plane } from './types.ts'

/** The tag of an image reference when it is a version (`v1.18.2`), else undefined (`latest`, a digest alone). */
export function versionOfImage(image: string): string | undefined {
  const withoutDigest = image.split('@')[0] ?? image
  const tag = /:([^:/]+)$/.exec(withoutDigest)?.[1]
  return tag !== undefined && /^v?\d+\.\d+\.\d+/.test(tag) ? tag : undefined
}

/** Negative when `a` is older than `b`. Compares major.minor.patch; what follows (`-rc.0`, `+k3s1`) does not count. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbers(a), numbers(b)]
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

const numbers = (version: string): number[] => version.replace(/^v/, '').split(/[-+]/)[0]?.split('.').map(Number) ?? []

/**
 * Throws UserError when the plane's Karmada is older than `minimum` (`1.12.0`). Images whose tag is no version pass:
 * whoever builds their own knows what is in them.
 */
export function requireKarmada(
  plane: Pick<Plane, 'name' | 'karmadaVersion'>,
  minimum: string,
  command = 'this command',
): void {
  const version = plane.karmadaVersion
  if (version === undefined || compareVersions(version, minimum) >= 0) return
  throw new UserError(`plane ${plane.name} runs Karmada ${version}; ${command} needs v${minimum} or newer`, {
    hint: 'upgrade Karmada first: https://karmada.io/docs/administrator/upgrading/',
  })
}
