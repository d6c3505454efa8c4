import type { Docker } from './cli.ts'

/** Lies beside the data once etcdutl has made it to the end. */
export const finished = 'restored'

/** Is there such a file or folder in a container, or in a volume of it? */
export async function exists(docker: Docker, container: string, path: string): Promise<boolean> {
  const args = ['cp', `${container}:${path}`, '-']
  // The whole database would follow.
  const { stdout, stderr, code } = await docker.attempt(args, { enoughBytes: 1 })
  if (stdout.length > 0) return true
  if (/could not find the file|no such file/i.test(stderr)) return false
  throw docker.explain(args, { stdout, stderr, code })
}
