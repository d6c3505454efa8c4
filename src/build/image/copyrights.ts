import { execFile } from 'node:child_process'
import type { ImageFile } from './archive.ts'

/** What Debian says of whose each of these files of this machine is, one text per package. Throws for a file of no package. */
export async function copyrightsOf(files: readonly string[]): Promise<ImageFile[]> {
  // Debian merged /lib into /usr/lib; its list of files has some by their old names.
  const names = files.map(file => [file, file.replace(/^\/usr(?=\/)/, ''), `/usr${file}`])
  const owners = ownersIn(await dpkgSearch(names.flat()))
  const packages = names.map(([file = '', ...others]) => {
    const found = [file, ...others].map(name => owners.get(name)).find(owner => owner !== undefined)
    if (found === undefined) throw new Error(`${file} is in no Debian package: its licence is not known`)
    return found
  })
  return [...new Set(packages)].sort().map(name => {
    const path = `/usr/share/doc/${name}/copyright`
    return { path, source: path }
  })
}

/** File to package, of `libc6:amd64: /lib/x86_64-linux-gnu/libc.so.6`. Pure. */
export const ownersIn = (text: string): Map<string, string> =>
  new Map(
    [...text.matchAll(/^([\w.+-]+)(?::\w+)?: (\/.*)$/gm)].map(([, owner = '', file = '']) => [file, owner] as const),
  )

/** It fails when it knows one of the names not, and prints the others. */
function dpkgSearch(names: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('dpkg-query', ['--search', ...names], (error, stdout) => {
      if (error && typeof error.code !== 'number') reject(error)
      else resolve(stdout)
    })
  })
}
