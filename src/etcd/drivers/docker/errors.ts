import { UserError } from '../../../errors.ts'

/** What docker said, as one line about one engine. `flags` are those that lead to the engine, for hints. Pure. */
export function explainDocker(
  stderr: string,
  { where, flags, verb }: { where: string; flags: string[]; verb: string },
) {
  const words = lastWords(stderr)
  const docker = ['docker', ...flags].join(' ')
  if (/permission denied while trying to connect/i.test(words)) {
    const hint = 'be of the group "docker" of that machine (usermod -aG docker USER, then log in again), or root'
    return new UserError(`${where}: you may not talk to the engine`, { hint })
  }
  if (/client version .* is too (new|old)/i.test(words)) {
    return new UserError(`${where}: docker here and its engine are too far apart: ${words}`, {
      hint: 'update the older of the two; what it takes for one command: DOCKER_API_VERSION=... ',
    })
  }
  if (/context .*(not found|does not exist)|unable to resolve docker endpoint/i.test(words)) {
    return new UserError(`${where}: ${words}`, { hint: 'docker context ls' })
  }
  if (unreachable.test(words))
    return new UserError(`${where}: no engine answers: ${words}`, { hint: `${docker} version` })
  return new UserError(`${where}: docker ${verb}: ${words}`)
}

const unreachable =
  /cannot connect to the docker daemon|error during connect|failed to connect to the docker api|unable to connect|is the docker daemon running|connection (refused|reset)|no such host|i\/o timeout/i

/** The last line that says something, without the names of those who pass it on. */
export function lastWords(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map(line => line.trim())
    .filter(line => line && !/^(see 'docker|run 'docker|usage:|for more help)/i.test(line))
  const said = lines.findLast(line => /error|cannot|denied|fail/i.test(line)) ?? lines.at(-1) ?? 'it says nothing'
  return said.replace(/^docker: /, '').replace(/^error response from daemon: /i, '')
}

export const notInstalled = (cause: unknown): UserError =>
  new UserError('docker is not installed here: no program "docker" in the PATH', {
    hint: 'only its client is needed here: https://docs.docker.com/engine/install/binaries/#install-client-binaries',
    cause,
  })
