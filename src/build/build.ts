import { writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { bundleAgents } from './agents.ts'
import { bundle } from './bundle.ts'

const dist = join(import.meta.dirname, '../../dist')

/** `npm run build`: the plugin, and what runs on nodes. */
const started = performance.now()
const program = join(dist, 'kubectl-karmada_net')
const written: [outfile: string, bytes: number][] = [[program, (await bundle({ outfile: program })).bytes]]
for (const { name, text } of await bundleAgents()) {
  const outfile = join(dist, `karmada-net-${name}.cjs`)
  await writeFile(outfile, text)
  written.push([outfile, Buffer.byteLength(text)])
}
const took = Math.round(performance.now() - started)
const list = written.map(([path, bytes]) => `${relative(process.cwd(), path)}: ${Math.round(bytes / 1000)} kB`)
process.stdout.write(`${list.join(', ')} in ${took} ms\n`)
