import * as tls from 'node:tls'
import { UserError } from '../errors.ts'
import type { KubeconfigCluster } from './kubeconfig.ts'
import { readFile } from './read-file.ts'

/** The TLS side of who we are; the same text means the same connections. */
export interface ClientCertificate {
  cert: string | Buffer
  key: string | Buffer
}

/**
 * What a connection to the cluster trusts and proves, read from files and data as the kubeconfig says.
 * Throws `UserError` naming the field that is not usable.
 */
export async function secureContextFor(
  cluster: KubeconfigCluster,
  certificate: ClientCertificate | undefined,
): Promise<tls.SecureContext> {
  // A CA bundle may hold an intermediate alone; Go trusts it as it is.
  const trust = cluster.insecureSkipTlsVerify ? {} : { ca: await authority(cluster), allowPartialTrustChain: true }
  try {
    return tls.createSecureContext({ ...trust, ...certificate })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new UserError(`the client certificate for cluster "${cluster.name}" cannot be used: ${why}`, { cause: error })
  }
}

/** A cluster's certificate authority as PEM; undefined where the system's roots decide. Data goes before the file. */
export async function authorityPem(cluster: KubeconfigCluster): Promise<string | undefined> {
  const { certificateAuthorityData: data, certificateAuthority: file } = cluster
  if (!data && !file) return undefined
  const field = data ? 'certificate-authority-data' : `certificate-authority ${file}`
  const pem = data
    ? Buffer.from(data, 'base64').toString()
    : (await readPem(file ?? '', `cluster "${cluster.name}"`)).toString()
  if (!pem.includes('-----BEGIN')) throw new UserError(`${field} of cluster "${cluster.name}" holds no certificate`)
  return pem
}

/** The bytes of a file that a kubeconfig names. Throws `UserError` naming it and its owner. */
export async function readPem(file: string, owner: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const why = code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'permission denied' : String(error)
    throw new UserError(`${file} of ${owner} cannot be read: ${why}`, { cause: error })
  }
}

async function authority(cluster: KubeconfigCluster): Promise<string | string[]> {
  const pem = await authorityPem(cluster)
  if (pem) return pem
  // As kubectl: the system's store, which may know a company's own CA; Node's list where there is none.
  const system = tls.getCACertificates('system')
  return system.length ? system : [...tls.rootCertificates]
}
