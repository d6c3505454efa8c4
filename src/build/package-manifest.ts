import { dump, load } from 'js-yaml'

/** A krew manifest, as far as packaging knows it. */
export interface PluginManifest {
  apiVersion: string
  kind: string
  metadata: { name: string }
  spec: {
    version: string
    shortDescription: string
    description?: string
    homepage?: string
    caveats?: string
    platforms: PluginPlatform[]
  }
}

export interface PluginPlatform {
  selector: { matchLabels: Record<string, string> }
  uri: string
  sha256: string
  /** Path of the executable inside the archive. */
  bin: string
  files?: { from: string; to: string }[]
}

/** An archive made for one platform, named as Go names it. */
export interface Archive {
  os: string
  arch: string
  /** Where krew downloads it from. */
  uri: string
  /** 64 lower-case hexadecimal digits. */
  sha256: string
}

/**
 * The template with version, addresses and digests put in, as YAML. Pure. Throws where the template's platforms and the archives
 * are not the same.
 */
export function fillManifest(template: string, version: string, archives: readonly Archive[]): string {
  const manifest = load(template) as PluginManifest
  const unused = new Set(archives)
  const platforms = manifest.spec.platforms.map(platform => {
    const { os, arch } = platform.selector.matchLabels
    const archive = archives.find(archive => archive.os === os && archive.arch === arch)
    if (!archive) throw new Error(`plugin.yaml offers ${os}/${arch}, of which there is no archive`)
    unused.delete(archive)
    return { ...platform, uri: archive.uri, sha256: archive.sha256 }
  })
  for (const { os, arch } of unused) throw new Error(`plugin.yaml does not offer ${os}/${arch}`)
  return dump({ ...manifest, spec: { ...manifest.spec, version: `v${version}`, platforms } }, { lineWidth: -1 })
}
