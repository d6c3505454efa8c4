import { existsSync } from 'node:fs'
import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { tarEnd, tarFile, tarHeader } from '../../src/build/tar.ts'
import { karmadaModule } from './components.ts'

/** Packs the CRDs of the Karmada module as its releases do, next to the programs. Returns the archive's path. */
export async function ensureCrds(bin: string): Promise<string> {
  const archive = join(bin, 'crds.tar.gz')
  if (existsSync(archive)) return archive
  const source = join(await karmadaModule(), 'charts/karmada/_crds')
  const parts = [tarHeader({ path: 'crds/', type: 'folder' })]
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = join('crds', path.slice(source.length + 1))
    if (entry.isDirectory()) parts.push(tarHeader({ path: `${name}/`, type: 'folder' }))
    // Links are followed: the installer takes files and folders only.
    else parts.push(tarFile(name, await readFile(path)))
  }
  const unfinished = `${archive}.${process.pid}`
  await writeFile(unfinished, gzipSync(Buffer.concat([...parts, tarEnd()])))
  await rename(unfinished, archive)
  return archive
}
