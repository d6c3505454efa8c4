import type { CommandTable } from '../cli/command.ts'
import { anp } from './anp/index.ts'
import { completion } from './completion.ts'
import { contexts } from './contexts.ts'
import { etcd } from './etcd/index.ts'
import { options } from './options.ts'
import { version } from './version.ts'
import { vip } from './vip/index.ts'

/**
 * All commands, as help lists them: the one table that parsing, help, completion and the docs page are made of.
 * Every start imports this and what it imports. So a noun imports its commands when they are called, and what a command works with
 * it imports in `run`.
 */
export const commands: CommandTable = {
  description: `kubectl karmada-net connects the clusters of a Karmada federation and keeps their control plane available.`,
  groups: [
    { title: 'Network Commands', commands: [anp] },
    { title: 'High Availability Commands', commands: [etcd, vip] },
    { title: 'Observe Commands', commands: [contexts] },
    { title: 'Other Commands', commands: [completion, version, options] },
  ],
}
