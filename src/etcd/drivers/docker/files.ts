import type { MemberFiles } from '../driver.ts'
import type { Docker } from './cli.ts'
import { removeContainer } from './container.ts'
import { labelFlags, type Names, paths, pkiMount } from './names.ts'
import { type Delivered, pkiStream, publicOf, readDelivered, sameFiles } from './pki.ts'
import { tarEnd, tarFile } from './tar.ts'
import { ensureVolume, listOurs } from './volumes.ts'

/** What is in the volume of the certificates, seen through a container that has it. */
export async function readPublic(docker: Docker, container: string): Promise<Delivered | undefined> {
  const args = ['cp', `${container}:${paths.pki}/public`, '-']
  const result = await docker.attempt(args)
  if (result.code === 0) return readDelivered(result.stdout)
  if (/could not find the file|no such (file|container)/i.test(result.stderr)) return undefined
  throw docker.explain(args, result)
}

/** Puts these files into the volume of the certificates. Keys are nowhere but in the stream. False: they are there. */
export async function deliverFiles(docker: Docker, names: Names, files: MemberFiles): Promise<boolean> {
  await ensureVolume(docker, names, names.pkiVolume)
  return withVolume(docker, names, async container => {
    const there = await readPublic(docker, container)
    if (there && sameFiles(there.files, publicOf(files))) return false
    await docker.run(['cp', '-', `${container}:${pkiMount}`], { input: [pkiStream(files, there?.slot)] })
    return true
  })
}

/**
 * A container that is never started, of an image that has nothing in it: `docker cp` goes only through containers, the member's own may
 * only read its certificates, and before the first start there is neither it nor its image.
 */
async function withVolume<T>(docker: Docker, names: Names, use: (container: string) => Promise<T>): Promise<T> {
  // Both are there only where a run was cut off.
  const [left] = await Promise.all([listOurs(docker, names, 'image'), removeContainer(docker, names, names.files)])
  const images = left.length > 0 ? left : [await emptyImage(docker, names)]
  try {
    await docker.run([
      'create',
      `--name=${names.files}`,
      '--network=none',
      ...labelFlags(names.labels),
      `--mount=type=volume,source=${names.pkiVolume},target=${pkiMount},volume-nocopy`,
      ...images.slice(0, 1),
      'never-started',
    ])
    return await use(names.files)
  } finally {
    await docker.attempt(['container', 'rm', '--force', names.files], { evenThen: true })
    await docker.attempt(['image', 'rm', ...images], { evenThen: true })
  }
}

async function emptyImage(docker: Docker, names: Names): Promise<string> {
  const changes = Object.entries(names.labels).flatMap(([key, value]) => ['--change', `LABEL ${key}=${value}`])
  const input = [tarFile({ path: 'empty', mode: 0o644, owner: 0 }, ''), tarEnd()]
  return (await docker.run(['import', ...changes, '-'], { input })).trim()
}
