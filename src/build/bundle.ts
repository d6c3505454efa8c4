import { execFileSync } from 'node:child_process'
import { chmod, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import * as esbuild from 'esbuild'
import { plugins } from './plugins.ts'

const root = join(import.meta.dirname, '../..')

export interface BundleOptions {
  /** Where to write; not written where it is left out. */
  outfile?: string | undefined
  /** Git commit for `version`; default: HEAD, or `unknown` outside a repository. */
  commit?: string | undefined
}

/**
 * The whole program as one file. It is CommonJS, which Node starts 10% sooner than a module and a standalone executable demands,
 * but holds no `require`, `module` or `import.meta` of its own: so it runs as a module too, as a file without extension inside a
 * package of type `module` does. Answers esbuild's metafile.
 */
export async function bundle({ outfile, commit = headCommit() }: BundleOptions): Promise<esbuild.Metafile> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  const result = await esbuild.build({
    ...shape,
    entryPoints: ['src/main.ts'],
    loader: { '.yaml': 'text' },
    plugins: plugins(shape),
    define: {
      ...shape.define,
      BUILD_VERSION: JSON.stringify(manifest.version),
      BUILD_COMMIT: JSON.stringify(commit),
    },
    banner: { js: `#!/usr/bin/env node\n${refuseOldNode}${makeRequire}` },
    outfile: outfile ?? 'unwritten',
    write: outfile !== undefined,
    metafile: true,
  })
  if (outfile) await chmod(outfile, 0o755)
  return result.metafile
}

const shape: esbuild.BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'cjs',
  minify: true,
  legalComments: 'none',
  logLevel: 'error',
  // Asked for only to make a `require`, for which any place will do.
  define: { 'import.meta.url': JSON.stringify('file:///') },
}

const refuseOldNode = `{let[a,b]=process.versions.node.split(".");if(a<22||a==22&&b<19){process.stderr.write("error: kubectl-karmada_net needs Node 22.19 or newer; this is "+process.version+"\\n");process.exit(1)}}`
const makeRequire = 'var require=process.getBuiltinModule("module").createRequire(process.execPath);'

function headCommit(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return 'unknown'
  }
}

if (import.meta.main) {
  const outfile = join(root, 'dist/kubectl-karmada_net')
  const started = performance.now()
  const { outputs } = await bundle({ outfile })
  const bytes = Object.values(outputs).reduce((sum, output) => sum + output.bytes, 0)
  const took = Math.round(performance.now() - started)
  process.stdout.write(`${relative(process.cwd(), outfile)}: ${Math.round(bytes / 1000)} kB in ${took} ms\n`)
}
