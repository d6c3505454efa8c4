import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Metafile } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundle } from '../../../src/build/bundle.ts'

let dir: string
let metafile: Metafile
const name = 'kubectl-karmada_net'
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'karmada-net-bundle-'))
  await mkdir(join(dir, 'package'))
  await writeFile(join(dir, 'package/package.json'), '{ "type": "module" }')
  metafile = await bundle({ outfile: join(dir, name), commit: 'c0ffee' })
  await bundle({ outfile: join(dir, 'package', name), commit: 'c0ffee' })
  await symlink(name, join(dir, 'kubectl_complete-karmada_net'))
}, 60_000)
afterAll(() => rm(dir, { recursive: true, force: true }))

const env = () => ({ PATH: `${dirname(process.execPath)}:${process.env['PATH']}`, KUBECONFIG: join(dir, 'none') })
const run = (file: string, ...args: string[]) => promisify(execFile)(join(dir, file), args, { env: env() })

// Without a package.json it is CommonJS, inside a package of type module a module.
test.each([name, `package/${name}`])('%s runs as it is', async file => {
  const { stdout } = await run(file, 'version', '--client', '-ojson')
  expect(JSON.parse(stdout).clientVersion).toMatchObject({
    gitCommit: 'c0ffee',
    version: expect.stringMatching(/^v\d/),
  })
})

test('under the name of the completer it completes', async () => {
  expect((await run('kubectl_complete-karmada_net', 'vers')).stdout).toMatch(/^version\t.*\n:4\n$/)
})

test('an error is one line, a hint and exit code 1', async () => {
  const failed = await run(name, 'vesion').catch(error => error)
  expect(failed).toMatchObject({
    code: 1,
    stdout: '',
    stderr:
      'error: unknown command "vesion" for "kubectl karmada-net"\nhint: did you mean "kubectl karmada-net version"?\n',
  })
})

test('a reader that has gone is no error', async () => {
  const child = spawn(join(dir, name), ['--help'], { env: env(), stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  const stderr = child.stderr.toArray()
  const [code] = await once(child, 'close')
  expect({ code, stderr: (await stderr).join('') }).toEqual({ code: 0, stderr: '' })
})

/** Files of ours that are read at every start: all that is imported without `import()`. */
function startPath(): string[] {
  const seen = new Set<string>()
  const visit = (file: string) => {
    if (seen.has(file)) return
    seen.add(file)
    for (const { path, kind } of metafile.inputs[file]?.imports ?? []) if (kind === 'import-statement') visit(path)
  }
  visit('src/main.ts')
  return [...seen]
}

test('what is heavy is not imported at the start', () => {
  const allowed =
    /^(src\/(main|run|errors)\.ts|src\/(cli|commands|steps|checks)\/|src\/kube\/errors\.ts|node_modules\/yargs|emptied:)/
  const builtins = ['node:path', 'node:util', 'node:module', 'fs', 'path', 'util']
  const files = startPath().filter(file => metafile.inputs[file])
  expect(files.filter(file => !allowed.test(file))).toEqual([])
  const external = files.flatMap(file => metafile.inputs[file]?.imports.filter(entry => entry.external) ?? [])
  expect(external.map(({ path }) => path).filter(path => !builtins.includes(path))).toEqual([])
})
