import { UserError } from '../../../errors.ts'
import type { Found, Launch } from '../driver.ts'
import type { Docker } from './cli.ts'
import { dataMount, labelFlags, launchLabel, type Names, pkiMount, user, whyForeign } from './names.ts'

/** Of `docker container inspect`. */
export interface Container {
  State: {
    Running: boolean
    Paused: boolean
    Restarting: boolean
    OOMKilled: boolean
    ExitCode: number
    /** Why the engine could not start it. */
    Error: string
    /** Year 1: never. */
    StartedAt: string
  }
  Config: { Labels: Record<string, string> | null }
}

export async function readContainer(docker: Docker, name: string): Promise<Container | undefined> {
  const args = ['container', 'inspect', name]
  const result = await docker.attempt(args)
  if (result.code === 0) return (JSON.parse(result.stdout.toString()) as Container[])[0]
  if (/no such (container|object)/i.test(result.stderr)) return undefined
  throw docker.explain(args, result)
}

/** As `readContainer`, and throws UserError where the name is somebody else's. */
export async function readOurs(docker: Docker, names: Names, name = names.container): Promise<Container | undefined> {
  const container = await readContainer(docker, name)
  const foreign = container && whyForeignContainer(container, names, name)
  if (foreign)
    throw new UserError(`${docker.where}: ${foreign}`, { hint: `${docker.command} rename ${name} OTHER-NAME` })
  return container
}

export const whyForeignContainer = ({ Config }: Container, names: Names, name = names.container): string | undefined =>
  whyForeign(`container "${name}"`, Config.Labels ?? {}, names)

/** Removes a container of ours with that name, if there is one. True: there was. */
export async function removeContainer(docker: Docker, names: Names, name: string): Promise<boolean> {
  if (!(await readOurs(docker, names, name))) return false
  await docker.run(['container', 'rm', '--force', '--volumes', name])
  return true
}

/** Serving, or about to: not waiting for its next try after it ended. */
export const runs = ({ State }: Container): boolean => State.Running && !State.Restarting && !State.Paused

export const wasStarted = ({ State }: Container): boolean => !State.StartedAt.startsWith('0001-')

/** What it was made for; undefined for what our label does not say. */
export function launchIn({ Config }: Container): Found['launch'] {
  try {
    return JSON.parse(Config.Labels?.[launchLabel] ?? '') as Found['launch']
  } catch {
    return undefined
  }
}

/** Why one that does not run stopped, without its own words. Undefined: it was asked to, or else it would be waiting for its next try. */
export function whyStopped({ State }: Container): string | undefined {
  if (State.Paused) return 'paused'
  if (State.Error) return State.Error
  if (State.OOMKilled) return 'killed: out of memory'
  return State.Restarting ? `exit ${State.ExitCode}` : undefined
}

/** The arguments of `docker create` for a member. Pure. */
export function createArgs(
  names: Names,
  launch: Launch,
  { image, loggingDriver }: { image: string; loggingDriver: string },
): string[] {
  const { version, generation, args } = launch
  const kept = JSON.stringify({ version, image: launch.image, generation, args })
  return [
    'create',
    `--name=${names.next}`,
    '--pull=never',
    '--network=host',
    '--restart=unless-stopped',
    '--stop-timeout=10',
    ...confined,
    '--read-only',
    ...logLimits(loggingDriver),
    ...labelFlags({ ...names.labels, [launchLabel]: kept }),
    dataFlag(names, generation),
    `--mount=type=volume,source=${names.pkiVolume},target=${pkiMount},volume-nocopy,readonly`,
    '--entrypoint=etcd',
    image,
    ...args,
    ...launch.bootstrapArgs,
  ]
}

/** Etcd needs no capability: all files are its own, all ports are above 1024. */
export const confined = [`--user=${user}:${user}`, '--cap-drop=ALL', '--security-opt=no-new-privileges']

/** Without `nocopy` the engine would give an empty volume the owner that the image's folder has. */
export const dataFlag = (names: Names, generation: number): string =>
  `--mount=type=volume,source=${names.dataVolume(generation)},target=${dataMount},volume-nocopy`

/** Other drivers (journald, syslog) do not know these options, and limit elsewhere. */
const logLimits = (driver: string): string[] =>
  driver === 'json-file' || driver === 'local' ? ['--log-opt=max-size=10m', '--log-opt=max-file=3'] : []
