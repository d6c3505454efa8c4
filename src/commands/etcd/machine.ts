import type { Session } from '../../cli/session.ts'
import type { Machine } from '../../etcd/backup/systemd.ts'
import type { Caller } from '../../etcd/backup/units.ts'
import { type EtcdFlags, stateFolder } from './shared.ts'

const ownName = 'kubectl-karmada_net'

/** This machine, where no member's own can take backups. `out`: a folder that gets the units instead. */
export async function machineFor(
  flags: Pick<EtcdFlags, 'state'> & { out?: string | undefined },
  session: Session,
): Promise<Machine> {
  const { createMachine } = await import('../../etcd/backup/systemd.ts')
  const { io, signal } = session
  return createMachine({ caller: await callerFor(flags, session), env: io.env, signal, out: flags.out })
}

/** How a scheduler calls this plugin. */
export async function callerFor({ state }: Pick<EtcdFlags, 'state'>, session: Session): Promise<Caller> {
  const { userInfo } = await import('node:os')
  const { resolve } = await import('node:path')
  return {
    command: await ownCommand(session),
    state: resolve(await stateFolder(session, state)),
    user: userInfo().username,
  }
}

/** By the path that kubectl finds it at: where it really lies changes with each version that krew installs. */
async function ownCommand({ io }: Session): Promise<string[]> {
  const { access, constants } = await import('node:fs/promises')
  const { basename, join, resolve } = await import('node:path')
  const { argv, execPath } = await import('node:process')
  for (const folder of (io.env['PATH'] ?? '').split(':').filter(folder => folder.startsWith('/'))) {
    const path = join(folder, ownName)
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return [path]
  }
  return basename(execPath) === 'node' ? [execPath, resolve(argv[1] ?? '')] : [execPath]
}
