import type { ConnectionFailure } from '../kube/errors.ts'
import type { Access, Probe } from './types.ts'

/** Did the context answer at all? */
export const isReached = ({ access }: Probe): boolean => access === 'ok'

/** The word for the ACCESS column. */
export const accessOf: Record<ConnectionFailure, Access> = {
  refused: 'refused',
  timeout: 'timeout',
  dns: 'no such host',
  unreachable: 'no route',
  reset: 'error',
  proxy: 'error',
  other: 'error',
  tls: 'certificate',
  'tls-authority': 'certificate',
  'tls-name': 'certificate',
  'tls-expired': 'certificate',
}
