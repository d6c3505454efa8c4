import { UserError } from '../../../errors.ts'
import type { Docker } from './cli.ts'
import { lastWords } from './errors.ts'

interface Image {
  RepoDigests?: string[] | null
}

/** The reference to make containers of: pinned by digest where the engine knows one. Pulls what is missing. Throws UserError. */
export async function ensureImage(docker: Docker, reference: string): Promise<string> {
  const known = await find(docker, reference)
  if (known) return pinned(reference, known)
  const pull = await docker.attempt(['pull', '--quiet', reference], { timeoutMs: Number.POSITIVE_INFINITY })
  const pulled = pull.code === 0 ? await find(docker, reference) : undefined
  if (pulled) return pinned(reference, pulled)
  throw new UserError(`${docker.where}: no image ${reference}, and it cannot be pulled: ${lastWords(pull.stderr)}`, {
    hint: `where it is: docker save ${reference} | ${docker.command} load`,
  })
}

async function find(docker: Docker, reference: string): Promise<Image | undefined> {
  const args = ['image', 'inspect', reference]
  const result = await docker.attempt(args)
  if (result.code === 0) return (JSON.parse(result.stdout.toString()) as Image[])[0]
  if (/no such image|not found/i.test(result.stderr)) return undefined
  throw docker.explain(args, result)
}

/** `repository@sha256:...` of the same repository, if the engine has it from a registry; a loaded image has none. Pure. */
export function pinned(reference: string, { RepoDigests }: Image): string {
  if (reference.includes('@')) return reference
  const repository = reference.replace(/:[^:/]+$/, '')
  const digest = RepoDigests?.find(each => each.startsWith(`${repository.replace(/^docker\.io\/(library\/)?/, '')}@`))
  return digest ?? reference
}
