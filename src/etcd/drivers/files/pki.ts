import { createPrivateKey, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { certificatesOnly } from '../../../pki/pem.ts'
import type { MemberFiles } from '../driver.ts'
import { readText } from './folder.ts'

const pems = ['server.pem', 'peer.pem'] as const
export const certificateFiles = ['ca.crt', ...pems] as const

/** The certificates in a folder, without their keys; undefined where one of the files or its key is missing or does not fit. */
export async function readDelivered(folder: string): Promise<MemberFiles | undefined> {
  const texts = await Promise.all(certificateFiles.map(name => readText(join(folder, name))))
  const [ca, server, peer] = texts
  if (!ca || !server || !peer) return undefined
  const files: MemberFiles = { 'ca.crt': ca, 'server.pem': server, 'peer.pem': peer }
  if (!pems.every(name => fits(files[name]))) return undefined
  return { 'ca.crt': ca, 'server.pem': certificatesOnly(server), 'peer.pem': certificatesOnly(peer) }
}

/** A certificate with the key that it is of. */
function fits(pem: string): boolean {
  try {
    return new X509Certificate(pem).checkPrivateKey(createPrivateKey(pem))
  } catch {
    return false
  }
}
