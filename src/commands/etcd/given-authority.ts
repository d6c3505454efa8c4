import { flag } from '../../cli/flag.ts'
import { UserError } from '../../errors.ts'
import type { KeyPair } from '../../pki/certificate.ts'

export const authorityFlags = {
  caCert: flag.string('Your own certificate authority (PEM), instead of a new one', { files: true }),
  caKey: flag.string('Its key (PEM)', { files: true }),
}

/** The authority that --ca-cert and --ca-key name. Throws UserError for one without the other, and for files that cannot be read. */
export async function givenAuthority(flags: {
  caCert?: string | undefined
  caKey?: string | undefined
}): Promise<KeyPair | undefined> {
  const { caCert, caKey } = flags
  if (caCert === undefined && caKey === undefined) return undefined
  if (caCert === undefined || caKey === undefined) throw new UserError('--ca-cert and --ca-key go together')
  const { readFile } = await import('node:fs/promises')
  const [certificate = '', key = ''] = await Promise.all(
    [caCert, caKey].map(path =>
      readFile(path, 'utf8').catch(error => {
        throw new UserError(`${path} cannot be read`, { cause: error })
      }),
    ),
  )
  return { certificate, key }
}
