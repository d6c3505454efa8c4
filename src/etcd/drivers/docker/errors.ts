import { UserError } from '../../../errors.ts'

/** What docker said, as one line about one engine. `command` asks it by hand. Pure. */
export function explainDocker(
  stderr: string,
  { where, command, verb }: { where: string; command: string; verb: string },
) {
  const words = lastWords(stderr)
  const say = (what: string, hint?: string) => new UserError(`${where}: ${what}`, { hint })
  const ssh = /command \[(ssh .*) docker system dial-stdio\].*stderr=(.*)/.exec(words)
  if (ssh) return say(ssh[2] || 'ssh ends without a word', `this must work: ${ssh[1]} docker version`)
  if (/permission denied while trying to connect/i.test(words)) {
    return say(
      'you may not talk to the engine',
      'be of its group "docker" (usermod -aG docker USER, log in again), or root',
    )
  }
  if (/client version .* is too (new|old)/i.test(words)) {
    return say(`docker here and its engine do not understand each other: ${words}`, 'update the older of the two')
  }
  const context = /context "(.*?)".*(not found|does not exist)/i.exec(words)
  if (context) return say(`there is no docker context "${context[1]}"`, 'docker context ls')
  if (unreachable.test(words)) return say(`no engine answers: ${words}`, `${command} version`)
  return say(`${verb}: ${words}`)
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
  return said.replace(/^(docker|failed to initialize): /i, '').replace(/^error response from daemon: /i, '')
}

export const notInstalled = (cause: unknown): UserError =>
  new UserError('docker is not installed here: no program "docker" in the PATH', {
    hint: 'only its client is needed here: https://docs.docker.com/engine/install/binaries/#install-client-binaries',
    cause,
  })
