import { ensureComponents } from './components.ts'
import { ensureCrds } from './crds.ts'
import { ensureImageStore } from './image-store.ts'
import { waitForLock } from './lock.ts'
import { ensurePackages } from './packages.ts'
import type { Report } from './report.ts'

/** What sandboxes are made of. */
export interface Parts {
  /** Folder of the built programs. */
  bin: string
  /** A containerd root with every image: `ensureImageStore`. */
  images: string
  /** Karmada's CRDs as `karmadactl init --crds` wants them. */
  crds: string
}

/** Installs, builds and assembles what is missing; a moment when nothing is. */
export async function prepare(report: Report): Promise<Parts> {
  await using _lock = await waitForLock('prepare')
  await ensurePackages(report)
  const bin = await ensureComponents(report)
  const images = await ensureImageStore(report, bin)
  return { bin, images, crds: await ensureCrds(bin) }
}
