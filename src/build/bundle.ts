import { execFileSync } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import * as esbuild from 'esbuild'
import { version } from './node.ts'
import { type Chunk, pack } from './pack.ts'
import { withoutGeneratedApis, withoutUnused } from './plugins.ts'

const root = join(import.meta.dirname, '../..')

/** What is bundled as text: manifests and what nodes are given. */
export const textLoaders: Record<string, esbuild.Loader> = {
  '.yaml': 'text',
  '.service': 'text',
  '.timer': 'text',
  '.sh': 'text',
}

export interface BundleOptions {
  /** Where to write; not written where it is left out. */
  outfile?: string | undefined
  /** Git commit for `version`; default: HEAD, or `unknown` outside a repository. */
  commit?: string | undefined
}

export interface Bundle {
  text: string
  bytes: number
  /** Files of ours and of packages that are read at every start. */
  startInputs: string[]
  metafile: esbuild.Metafile
}

/**
 * The whole program as one file: CommonJS, which Node starts 10% sooner than a module and a standalone executable demands, but
 * without extension it runs inside a package of type `module` as well. What commands import by `import()` is compiled when it is
 * first needed.
 */
export async function bundle({ outfile, commit = headCommit() }: BundleOptions): Promise<Bundle> {
  const { outputFiles, metafile } = await split(commit)
  const start = startChunks(metafile)
  const chunks = await Promise.all(outputFiles.map(file => chunkOf(file, start)))
  const text = pack(chunks, './main.js')
  if (outfile) {
    await mkdir(dirname(outfile), { recursive: true })
    await writeFile(outfile, text)
    await chmod(outfile, 0o755)
  }
  const startInputs = [...start].flatMap(path => Object.keys(metafile.outputs[path]?.inputs ?? {}))
  return { text, bytes: Buffer.byteLength(text), startInputs, metafile }
}

/** ES modules: one for the start, one for each `import()`, and what they share. */
async function split(commit: string) {
  return esbuild.build({
    absWorkingDir: root,
    entryPoints: { main: 'src/main.ts' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    minify: true,
    legalComments: 'none',
    loader: textLoaders,
    plugins: [withoutUnused, withoutGeneratedApis],
    define: {
      ...(await definitions(commit)),
      // Asked for only to make a `require`, which nobody uses.
      'import.meta.url': JSON.stringify('file:///'),
    },
    outdir: 'dist',
    chunkNames: '[name]-[hash]',
    write: false,
    metafile: true,
    logLevel: 'error',
  })
}

/** What a program is told of its own build. */
export const definitions = async (commit = headCommit()): Promise<Record<string, string>> => ({
  BUILD_VERSION: JSON.stringify(await version()),
  BUILD_COMMIT: JSON.stringify(commit),
})

/** The outputs that the entry imports, and what these import, but not what they import by `import()`. */
function startChunks({ outputs }: esbuild.Metafile): Set<string> {
  const found = new Set<string>()
  const visit = (path: string) => {
    if (found.has(path)) return
    found.add(path)
    for (const { path: next, kind } of outputs[path]?.imports ?? []) {
      if (kind === 'import-statement' && next in outputs) visit(next)
    }
  }
  visit('dist/main.js')
  return found
}

async function chunkOf({ path, text }: esbuild.OutputFile, start: Set<string>): Promise<Chunk> {
  const { code } = await esbuild.transform(text, {
    format: 'cjs',
    target: 'node22',
    platform: 'node',
    minify: true,
    // Becomes a `require` in a promise, which the packed file answers.
    supported: { 'dynamic-import': false },
  })
  return { name: `./${basename(path)}`, code, start: start.has(`dist/${basename(path)}`) }
}

function headCommit(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return 'unknown'
  }
}
