import type { Session } from './session.ts'

/** One word the shell may offer, and what it shows beside it. */
export interface Candidate {
  word: string
  description?: string | undefined
}

export interface CompleteContext {
  /** The word being typed, as far as it goes; candidates that do not start with it are dropped afterwards. */
  current: string
  /** Positional words before it. */
  words: string[]
  /** Flags given so far; a flag that cannot be read has its default. */
  flags: Record<string, unknown>
  session: Session
}

/** Finds candidates live. May fail or take long: the kernel gives it a second and offers nothing instead. */
export type Complete = (context: CompleteContext) => Promise<(Candidate | string)[]> | (Candidate | string)[]
