import { UserError } from '../errors.ts'

/** What runs on a node for the virtual IP of the API servers: `vip.js VERB --flag=...`. Each answers what to say in the end. */
const verbs: Record<string, (args: string[], signal: AbortSignal) => Promise<string>> = {
  run: async (args, signal) => (await import('../vip/run.ts')).runCommand(args, process.env, signal),
  restore: async (args, signal) => (await import('../vip/restore.ts')).restoreCommand(args, signal),
  status: async args => (await import('../vip/ask-agent.ts')).statusCommand(args),
  check: async args => (await import('../vip/check/command.ts')).checkCommand(args),
  probe: async args => (await import('../vip/verify/probe-command.ts')).probeCommand(args),
  kubelet: async args => (await import('../vip/repoint/command.ts')).kubeletCommand(args),
  install: async args => (await import('../vip/node/commands.ts')).installCommand(args),
  uninstall: async args => (await import('../vip/node/commands.ts')).uninstallCommand(args),
}

async function main([verb = '', ...args]: string[]): Promise<number> {
  // What is in the kernel serves without us: there is nothing to tidy up.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0))
  try {
    const run = verbs[verb]
    if (!run) throw new UserError(`no such verb: "${verb}"`, { hint: `there are ${Object.keys(verbs).join(', ')}` })
    process.stdout.write(`${await run(args, new AbortController().signal)}\n`)
    return 0
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : error}\n`)
    if (error instanceof UserError && error.hint !== undefined) process.stderr.write(`hint: ${error.hint}\n`)
    else if (!(error instanceof UserError) && !isUsage(error) && error instanceof Error)
      process.stderr.write(`${error.stack}\n`)
    return 1
  }
}

/** Of `parseArgs`: a flag that is not known. */
const isUsage = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')

void main(process.argv.slice(2)).then(code => process.exit(code))
