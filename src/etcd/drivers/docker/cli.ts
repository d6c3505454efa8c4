import { UserError } from '../../../errors.ts'
import { type ProgramResult, runProgram } from '../../../program.ts'
import type { DockerSpec } from '../../cluster.ts'
import { explainDocker, notInstalled } from './errors.ts'

export interface DockerOptions {
  env: Record<string, string | undefined>
  signal: AbortSignal
}

export interface CallOptions {
  input?: Iterable<Uint8Array> | AsyncIterable<Uint8Array> | undefined
  /** Milliseconds. Default: one minute; `Infinity` for what lasts as long as it lasts. */
  timeoutMs?: number
  enoughBytes?: number
  /** Tidying up: goes on after Ctrl-C. */
  evenThen?: boolean
}

/** One engine, by the `docker` program: so its contexts, ssh and credentials are the user's. */
export interface Docker {
  /** For people: `docker on ssh://root@10.0.0.1`. */
  where: string
  /** How to ask it by hand: `docker -H ssh://root@10.0.0.1`. */
  command: string
  /** Any exit code is an answer. Throws UserError without docker, and where it does not answer in time. */
  attempt(args: readonly string[], options?: CallOptions): Promise<ProgramResult>
  /** What it printed. Throws UserError with what docker said otherwise. */
  run(args: readonly string[], options?: CallOptions): Promise<string>
  /** Docker's words as the user's error. */
  explain(args: readonly string[], result: ProgramResult): UserError
  /** Where the engine listens, as docker writes it: `unix:///run/docker.sock`. */
  endpoint(): Promise<string>
}

const quickMs = 60_000

export function createDocker({ host, context }: Pick<DockerSpec, 'host' | 'context'>, options: DockerOptions): Docker {
  const flags = host ? ['-H', host] : context ? ['--context', context] : []
  const where = host ? `docker on ${host}` : context ? `docker context ${context}` : 'docker'
  const command = ['docker', ...flags].join(' ')
  const docker: Docker = {
    where,
    command,
    async attempt(args, { evenThen, timeoutMs = quickMs, ...call } = {}) {
      const signal = evenThen ? undefined : options.signal
      const limit = Number.isFinite(timeoutMs) ? timeoutMs : undefined
      try {
        return await runProgram('docker', [...flags, ...args], { ...call, env: options.env, signal, timeoutMs: limit })
      } catch (error) {
        throw signal?.aborted ? error : known(error, where, args, timeoutMs)
      }
    },
    async run(args, call) {
      const result = await docker.attempt(args, call)
      if (result.code !== 0) throw docker.explain(args, result)
      return result.stdout.toString()
    },
    explain: (args, { stderr }) => explainDocker(stderr, { where, command, verb: verbOf(args) }),
    async endpoint() {
      if (host) return host
      const named = context ?? options.env['DOCKER_CONTEXT']
      if (!named && options.env['DOCKER_HOST']) return options.env['DOCKER_HOST']
      const format = ['--format', '{{.Endpoints.docker.Host}}']
      return (await docker.run(['context', 'inspect', ...format, ...(named ? [named] : [])])).trim()
    },
  }
  return docker
}

function known(error: unknown, where: string, args: readonly string[], timeoutMs: number): unknown {
  if (!(error instanceof Error)) return error
  if ('code' in error && error.code === 'ENOENT') return notInstalled(error)
  if (error.name !== 'TimeoutError') return error
  return new UserError(`${where}: ${verbOf(args)}: no answer in ${timeoutMs / 1000} s`, { cause: error })
}

/** `container inspect`, without what follows: arguments may be long. */
const verbOf = ([first = '', second = '']: readonly string[]): string =>
  /^(container|volume|image|context)$/.test(first) ? `${first} ${second}` : first
