import type { ClientCertificate } from './trust.ts'

/** Who a request is from. */
export interface Identity {
  headers: Record<string, string>
  certificate?: ClientCertificate | undefined
}

export interface Credentials {
  /** Throws `UserError` when they cannot be had: a file that is missing, a plugin that fails. */
  current(): Promise<Identity>
  /** After a 401 to `used`: is there another identity worth one more try? */
  renew(used: Identity): Promise<boolean>
}

/** Credentials that a 401 cannot change. */
export function fixed(current: () => Promise<Identity>): Credentials {
  return { current, renew: async () => false }
}
