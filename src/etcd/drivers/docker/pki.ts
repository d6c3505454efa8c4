import { certificatesOnly } from '../../../pki/pem.ts'
import type { MemberFiles } from '../driver.ts'
import { user } from './names.ts'
import { readTar, tarEnd, tarFile, tarHeader } from './tar.ts'

/** What lies in the volume, and in which of its two folders. */
export interface Delivered {
  slot: Slot
  /** Certificates without their keys. */
  files: MemberFiles
}

export type Slot = 'a' | 'b'

const names = ['ca.crt', 'server.pem', 'peer.pem'] as const

/**
 * The stream that brings new files to the volume of the certificates. Pure.
 *
 * `docker cp` removes a file before it writes the new one, and the image has no program that could rename. So the files go to whichever
 * of two folders is not in use, complete, and then the link `current`, by which etcd opens them, turns to it: unlink and symlink, one
 * right after the other. A handshake in between fails and is dialled again, as after a rename too, because etcd opens a pem twice, for
 * the certificate and for the key; none sees half a file. Cut off at any byte, the stream has left `current` and what it points at
 * alone. The keys of the former folder are emptied last.
 */
export function pkiStream(files: MemberFiles, inUse: Slot | undefined): Buffer {
  const slot: Slot = inUse === 'a' ? 'b' : 'a'
  const entry = { mode: 0o600, owner: user }
  const publicParts = publicOf(files)
  return Buffer.concat([
    folder(slot),
    ...names.map(name => tarFile({ ...entry, path: `${slot}/${name}` }, files[name])),
    folder(`${slot}/public`),
    ...names.map(name => tarFile({ ...entry, path: `${slot}/public/${name}` }, publicParts[name])),
    tarFile({ ...entry, path: `${slot}/public/slot` }, slot),
    tarHeader({ path: 'current', type: 'link', mode: 0o777, owner: user, target: slot }),
    ...(inUse ? names.map(name => tarFile({ ...entry, path: `${inUse}/${name}` }, '')) : []),
    tarEnd(),
  ])
}

const folder = (path: string): Buffer => tarHeader({ path: `${path}/`, type: 'folder', mode: 0o700, owner: user })

/** From the stream of `current/public`: the certificates alone, so that no key travels back. Undefined: not all of them are there. */
export function readDelivered(stream: Buffer): Delivered | undefined {
  const there = readTar(stream)
  const read = (name: string) => there.get(`public/${name}`)
  const [slot, ca, server, peer] = [read('slot'), read('ca.crt'), read('server.pem'), read('peer.pem')]
  if ((slot !== 'a' && slot !== 'b') || !ca || !server || !peer) return undefined
  return { slot, files: { 'ca.crt': ca, 'server.pem': server, 'peer.pem': peer } }
}

/** The certificates of each file. */
export const publicOf = (files: MemberFiles): MemberFiles => ({
  'ca.crt': certificatesOnly(files['ca.crt']),
  'server.pem': certificatesOnly(files['server.pem']),
  'peer.pem': certificatesOnly(files['peer.pem']),
})

export const sameFiles = (one: MemberFiles, other: MemberFiles): boolean =>
  names.every(name => one[name] === other[name])
