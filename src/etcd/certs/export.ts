import { randomBytes } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { UserError } from '../../errors.ts'
import { clientFiles, ensureClient, trustedBy } from '../certificates.ts'
import type { EtcdWorld } from '../world.ts'
import { fingerprintOf } from './guard.ts'
import { consumersOf } from './look.ts'

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
      hint: `consumers here: ${known.join(', ')}; name others under "consumers" in the inventory, then: kubectl karmada-net etcd up -f FILE`,
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
  await world.store.write({ [noteOf(consumer)]: fingerprintOf(pair.certificate) })
  return { ca: path(fileNames.ca), certificate: path(fileNames.certificate), key: path(fileNames.key), issued }
}

/** A file of its own: a rotation that runs meanwhile writes its own notes. */
const noteOf = (consumer: string): string => `exported/${consumer}`

/** Was what this consumer has in the store exported since it was issued? */
export async function wasExported({ store }: EtcdWorld, consumer: string): Promise<boolean> {
  const [noted, certificate] = await Promise.all([
    store.read(noteOf(consumer)),
    store.read(clientFiles(consumer).certificate),
  ])
  return noted !== undefined && noted === fingerprintOf(certificate ?? '')
}

async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`
  await writeFile(temporary, text, { mode })
  await rename(temporary, path)
}
