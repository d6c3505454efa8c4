import { build } from './build-info.ts'

const repository = 'ghcr.io/karmada-net/karmada-net'

/** The project's own image, for all that it runs in clusters: agents of nodes and scheduled jobs. `version` is `0.1.0`. */
export const ownImage = (version: string = build.version): string => `${repository}:v${version}`

/** `registry.k8s.io/a/b:v1@sha256:..` from another registry, as for sites without internet access; tag and digest stay. */
export const fromRegistry = (image: string, registry: string | undefined): string =>
  registry ? image.replace(/^[^/]+/, registry.replace(/\/+$/, '')) : image
