import { statfs } from 'node:fs/promises'
import { hostname } from 'node:os'
import { UserError } from '../../../errors.ts'
import type { Docker } from './cli.ts'

export interface Engine {
  version: string
  /** The machine's name. */
  machine: string
  root: string
  loggingDriver: string
  /** The machine's clock minus ours. */
  clockSkewMs: number
  /** Why etcd cannot run on it; undefined: it can. */
  unfit?: string | undefined
}

interface Info {
  ServerVersion?: string
  OSType?: string
  Name?: string
  DockerRootDir?: string
  LoggingDriver?: string
  SystemTime?: string
  SecurityOptions?: string[]
  ServerErrors?: string[]
}

/** `docker create --pull` and the API that is 20.10's. */
const oldest = 20

export async function readEngine(docker: Docker): Promise<Engine> {
  const args = ['info', '--format', '{{json .}}']
  const asked = Date.now()
  const result = await docker.attempt(args)
  const answered = Date.now()
  const info = parse(result.stdout.toString())
  // Older clients print what they know of themselves and end with 0, engine or not.
  const errors = info?.ServerErrors?.join('\n')
  if (result.code !== 0 || errors) throw docker.explain(args, { ...result, stderr: errors || result.stderr })
  if (!info?.ServerVersion) {
    throw new UserError(`${docker.where}: "docker info" tells no engine's version`, {
      hint: 'other engines that answer to "docker" (podman) are not supported',
    })
  }
  return {
    version: info.ServerVersion,
    machine: info.Name ?? '',
    root: info.DockerRootDir ?? '',
    loggingDriver: info.LoggingDriver ?? '',
    clockSkewMs: skew(info.SystemTime, { asked, answered }),
    unfit: whyUnfit(info),
  }
}

function parse(text: string): Info | undefined {
  try {
    return JSON.parse(text) as Info
  } catch {
    return undefined
  }
}

/** The engine read its clock somewhere between our asking and its answer; within that span nothing is known, so nothing is claimed. Pure. */
export function skew(time: string | undefined, { asked, answered }: { asked: number; answered: number }): number {
  const there = Date.parse(time ?? '')
  if (there > answered) return there - answered
  return there < asked ? there - asked : 0
}

export function whyUnfit({ ServerVersion = '', OSType, SecurityOptions = [] }: Info): string | undefined {
  if (Number.parseInt(ServerVersion, 10) < oldest)
    return `its engine is ${ServerVersion}; ${oldest}.10 or newer is needed`
  if (OSType && OSType !== 'linux') return `its engine runs ${OSType} containers; etcd needs linux`
  if (SecurityOptions.some(option => option.includes('name=rootless'))) {
    return "its engine is rootless, so its host network is not the machine's"
  }
  return undefined
}

/**
 * Free bytes of the file system that holds `folder` of the engine's machine. Docker does not tell, and the image has no program that would:
 * so it is known only where the engine's machine is this one.
 */
export async function freeBytes(docker: Docker, { machine }: Engine, folder: string): Promise<number | undefined> {
  if (machine !== hostname() || !(await docker.endpoint()).startsWith('unix://')) return undefined
  return statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => undefined,
  )
}
