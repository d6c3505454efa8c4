import { UserError } from '../../../errors.ts'

/** What docker said, as one line about one engine. `command` asks it by hand. Pure. */
export function explainDocker(
  stderr: string,
  { where, command, verb }: { where: string; command: string; verb: string },
) {
  const words = lastWords(stderr)
  const say = (what: string, hint?: string) => new UserError(`${where}: ${what}`, { hint })
  const ssh = sshSaid(stderr)
  if (ssh) return say(ssh.said, ssh.hint)
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
  if (/no space left on device/i.test(words)) {
    return say(
      `${verb}: ${words}`,
      `make room where the engine keeps its data: ${command} info -f '{{.DockerRootDir}}'`,
    )
  }
  if (unreachable.test(words)) return say(`no engine answers: ${words}`, `${command} version`)
  return say(`${verb}: ${words}`)
}

/** Docker puts ssh's own words, which may be many, at the end of one long sentence. Pure. */
function sshSaid(stderr: string): { said: string; hint: string } | undefined {
  const [, command = '', text = ''] =
    /command \[(ssh .*?) docker system dial-stdio\].*?stderr=([\s\S]*)/.exec(stderr) ?? []
  if (command === '') return undefined
  const said = text.trim().split('\n').at(-1)?.trim() || 'ssh ends without a word'
  // Docker gives ssh no terminal: the question whether to trust the host is never put.
  const byHand = `${command.replace(/ -T\b/, '')} docker version`
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED/.test(text)) {
    const forget = /^\s*(ssh-keygen .*-R .*)$/m.exec(text)?.[1]
    return {
      said: 'its host key is not the one that was known: another machine answers, or it was installed anew',
      hint: `only if it was: ${forget ?? 'ssh-keygen -R HOST'}   then once by hand: ${byHand}`,
    }
  }
  if (/host key verification failed/i.test(said)) {
    return { said: 'its host key is not known here', hint: `look at it and accept it, once by hand: ${byHand}` }
  }
  if (/permission denied \(/i.test(said)) {
    return { said, hint: `ssh must let you in without a question, by a key that it or its agent has: ${byHand}` }
  }
  return { said, hint: `this must work: ${byHand}` }
}

const unreachable =
  /cannot connect to the docker daemon|error during connect|failed to connect to the docker api|unable to connect|is the docker daemon running|connection (refused|reset)|no such host|i\/o timeout/i

/** The last line that says something, without the names of those who pass it on. */
export function lastWords(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map(line => line.trim())
    .filter(line => line && !/^(see 'docker|run 'docker|usage:|for more help)/i.test(line))
  // Its client adds only which command it was: "Error: failed to start containers: ...".
  const said =
    lines.findLast(line => /^error response from daemon: /i.test(line)) ??
    lines.findLast(line => /error|cannot|denied|fail/i.test(line)) ??
    lines.at(-1) ??
    'it says nothing'
  return said.replace(/^(docker|failed to initialize): /i, '').replace(/^error response from daemon: /i, '')
}

export const notInstalled = (cause: unknown): UserError =>
  new UserError('docker is not installed here: no program "docker" in the PATH', {
    hint: 'only its client is needed here: https://docs.docker.com/engine/install/binaries/#install-client-binaries',
    cause,
  })
