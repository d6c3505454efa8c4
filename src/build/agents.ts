import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import * as esbuild from 'esbuild'
import { definitions, textLoaders } from './bundle.ts'

const root = join(import.meta.dirname, '../..')

export interface AgentBundle {
  name: string
  /** One CommonJS file. */
  text: string
  /** Of all agents. */
  metafile: esbuild.Metafile
}

/**
 * What Node is started with to run an agent: interpreted, on one thread, with a small heap, for it does little and runs everywhere.
 * Without its start-up snapshot Node takes 35 ms longer to start and 3 MB less.
 */
export const nodeFlags = [
  '--jitless',
  '--no-node-snapshot',
  '--v8-pool-size=0',
  '--max-old-space-size=24',
  '--max-semi-space-size=1',
]

/** Every agent of nodes (`src/agents/NAME.ts`), each with no more than it needs: it runs on every node. */
export async function bundleAgents(): Promise<AgentBundle[]> {
  const files = await readdir(join(root, 'src/agents')).catch(() => [])
  const entries = files.filter(file => file.endsWith('.ts')).sort()
  const { outputFiles, metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: entries.map(file => `src/agents/${file}`),
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    minify: true,
    legalComments: 'none',
    loader: textLoaders,
    define: await definitions(),
    outdir: 'dist/agents',
    write: false,
    metafile: true,
    logLevel: 'error',
  })
  return outputFiles.map(({ path, text }) => ({ name: basename(path, '.js'), text, metafile }))
}
