import { randomBytes } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { UserError } from '../../errors.ts'
import { ensureClient, trustedBy } from '../certificates.ts'
import type { EtcdWorld } from '../world.ts'
import { consumersOf } from './look.ts'
import { readRotation, writeRotation } from './rotation.ts'

/** As the Secrets of Karmada's installers name them. */
const fileNames = { ca: 'ca.crt', certificate: 'tls.crt', key: 'tls.key' }

export interface Exported {
  /** Absolute paths. */
  ca: string
  certificate: string
  key: string
  issued: boolean
}

/**
 * Writes what a consumer needs to talk to this etcd into a folder: whom to trust, its certificate, its key (0600). Issues the
 * certificate where there is none, or none that lasts. Throws UserError for a consumer that the inventory does not name.
 */
export async function exportClient(world: EtcdWorld, consumer: string, folder: string): Promise<Exported> {
  const known = consumersOf(world)
  if (!known.includes(consumer)) {
    throw new UserError(`no consumer "${consumer}" in ${world.state.spec.name}`, {
      hint: `consumers here: ${known.join(', ')}; name others under "consumers" in the inventory, then: etcd up -f FILE`,
    })
  }
  const { pair, issued } = await ensureClient(world.store, consumer, world.state.spec.keyType)
  const ca = await trustedBy(world.store)
  if (ca === undefined) throw new UserError(`there is no certificate authority in ${world.store.where}`)
  const path = (name: string) => join(resolve(folder), name)
  await mkdir(folder, { recursive: true })
  // The key first: a reader that sees the new certificate finds its key as well.
  await replaceFile(path(fileNames.key), pair.key, 0o600)
  await replaceFile(path(fileNames.certificate), pair.certificate, 0o644)
  await replaceFile(path(fileNames.ca), ca, 0o644)
  await noteExported(world, consumer)
  return { ca: path(fileNames.ca), certificate: path(fileNames.certificate), key: path(fileNames.key), issued }
}

async function noteExported({ store }: EtcdWorld, consumer: string): Promise<void> {
  const rotation = await readRotation(store)
  if (rotation?.kind !== 'authority' || rotation.phase === 'trust' || rotation.exported.includes(consumer)) return
  await writeRotation(store, { ...rotation, exported: [...rotation.exported, consumer] })
}

async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`
  await writeFile(temporary, text, { mode })
  await rename(temporary, path)
}
