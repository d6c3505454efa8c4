import { basename, dirname, resolve } from 'node:path'
import { arg } from '../cli/arg.ts'
import { defineCommand } from '../cli/command.ts'
import { shells } from '../cli/completion/shells.ts'
import { flag } from '../cli/flag.ts'
import { program } from '../cli/io.ts'
import type { Session } from '../cli/session.ts'
import { UserError } from '../errors.ts'

export const completion = defineCommand({
  name: 'completion',
  summary: 'Set up shell completion',
  description: `With --install, "kubectl karmada-net <Tab>" completes wherever kubectl itself does: kubectl asks an executable named
kubectl_complete-karmada_net, which is put beside this one, or into --dir, which must be in PATH. --uninstall takes it away again.

With the name of a shell, prints a script that completes the plugin called by its own name, kubectl-karmada_net.`,
  examples: [
    ['Complete "kubectl karmada-net"', 'completion --install'],
    ['Put the executable for it into another directory of PATH', 'completion --install --dir ~/.local/bin'],
    ['Before the plugin itself is uninstalled', 'completion --uninstall'],
    ['A script for bash', 'completion bash'],
  ],
  args: { shell: arg.choice('SHELL', shells) },
  flags: {
    install: flag.boolean('Put the executable that kubectl asks where kubectl finds it'),
    uninstall: flag.boolean('Remove that executable'),
    dir: flag.string('Directory of --install and --uninstall; default: where this executable is', { files: true }),
  },
  async run({ shell, flags, session }) {
    if (flags.install && flags.uninstall) throw new UserError('--install and --uninstall exclude each other')
    if (flags.install) return install(session, flags.dir)
    if (flags.uninstall) return uninstall(session, flags.dir)
    if (!shell)
      throw new UserError(`SHELL is missing: ${shells.join(', ')}`, { hint: `${program} completion --install` })
    const { completionScript } = await import('../cli/completion/scripts.ts')
    const name = basename(session.io.invokedAs)
    session.io.stdout.write(completionScript(shell, name.startsWith('kubectl-') ? name : 'kubectl-karmada_net'))
  },
})

async function install({ io, ...session }: Session, dir: string | undefined): Promise<void> {
  const { executablePath, installCompleter } = await import('../cli/completion/install.ts')
  const executable = await executablePath(io.invokedAs, io.env)
  const { path, changed, onPath } = await installCompleter(executable, resolve(dir ?? dirname(executable)), io.env)
  session.out(`${path} ${changed ? 'created' : 'unchanged'}`)
  if (!onPath) session.warn(`${dirname(path)} is not in PATH: kubectl will not find it there`)
}

async function uninstall({ io, ...session }: Session, dir: string | undefined): Promise<void> {
  const { executablePath, uninstallCompleter } = await import('../cli/completion/install.ts')
  const from = resolve(dir ?? dirname(await executablePath(io.invokedAs, io.env)))
  const { path, changed, left } = await uninstallCompleter(from, io.env)
  session.out(`${path} ${changed ? 'removed' : 'is not there'}`)
  for (const each of left) session.hint(`there is another one: ${program} completion --uninstall --dir ${each}`)
}
