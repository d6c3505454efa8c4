import type { Probe } from './types.ts'

/** Did the context answer at all? */
export const isReached = ({ access }: Probe): boolean => access === 'ok' || access === 'partial'
