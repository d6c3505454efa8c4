import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContext } from 'node:tls'

export interface IdentityFiles {
  /** Of the cluster, PEM. */
  caFile: string
  /** Of a service account. */
  tokenFile: string
}

/** Whom this node trusts and who it is to API servers, by files that may change at any time. */
export interface Identity {
  secureContext(): SecureContext | undefined
  token(): string | undefined
  /** Answers true where the authority has changed since the last look. */
  look(): boolean
  /** Why API servers cannot be verified. */
  error(): string | undefined
}

export function createIdentity({ caFile, tokenFile }: IdentityFiles): Identity {
  let pem: string | undefined
  let context: SecureContext | undefined
  let error: string | undefined
  const identity: Identity = {
    secureContext: () => context,
    token: () => read(tokenFile)?.trim() || undefined,
    look() {
      const found = read(caFile)
      if (found === pem && (found !== undefined || error !== undefined)) return false
      pem = found
      try {
        if (!found?.includes('-----BEGIN'))
          throw new Error(found === undefined ? 'no such file' : 'no certificate in it')
        // It may be an intermediate alone.
        context = createSecureContext({ ca: found, allowPartialTrustChain: true })
        error = undefined
      } catch (cause) {
        context = undefined
        error = `the cluster's authority cannot be read from ${caFile}: ${(cause as Error).message}`
      }
      return true
    },
    error: () => error,
  }
  identity.look()
  return identity
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
