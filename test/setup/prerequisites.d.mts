export interface Machine {
  platform: string
  arch: string
  uid: number | undefined
  /** Node's version, without v. */
  node: string
  has(program: string): boolean
  /** Go's version; undefined when there is none. */
  go(): string | undefined
}

/** One line for each thing that must be there first, saying what to install. Default: this machine. */
export function missingPrerequisites(machine?: Machine): string[]
