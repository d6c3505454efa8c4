import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bundle, bundle } from '../../../src/build/bundle.ts'
import { pack } from '../../../src/build/pack.ts'

let dir: string
let made: Bundle
const name = 'kubectl-karmada_net'
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'karmada-net-bundle-'))
  await mkdir(join(dir, 'package'))
  await writeFile(join(dir, 'package/package.json'), '{ "type": "module" }')
  made = await bundle({ outfile: join(dir, name), commit: 'c0ffee' })
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

/** Starts `contexts` against a server that never answers, and sends the signals once it is asked. */
async function interrupted(...signals: NodeJS.Signals[]) {
  const asked = Promise.withResolvers<void>()
  const server = createServer(() => asked.resolve()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const kubeconfig = join(dir, 'silent')
  const config = {
    contexts: [{ name: 'silent', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${port}` } }],
    users: [{ name: 'u', user: {} }],
  }
  await writeFile(kubeconfig, JSON.stringify(config))
  const args = ['contexts', '--kubeconfig', kubeconfig, '--request-timeout', '10m']
  const child = spawn(join(dir, name), args, { env: env(), stdio: ['ignore', 'pipe', 'pipe'] })
  const stderr = child.stderr.toArray()
  await asked.promise
  for (const signal of signals) child.kill(signal)
  const [code] = await once(child, 'close')
  server.close()
  return { code, stderr: (await stderr).join('') }
}

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends what waits', async signal => {
  expect(await interrupted(signal)).toEqual({ code: 130, stderr: 'Stopped.\n' })
})

test('what is heavy is not imported at the start', () => {
  const allowed =
    /^(src\/(main|run|errors|suggest|build-info)\.ts|src\/cli\/|src\/commands\/([\w-]+\/index|[\w-]+)\.ts|src\/kube\/errors\.ts|node_modules\/yargs|emptied:)/
  const builtins = ['node:path', 'node:util', 'node:module', 'fs', 'path', 'util']
  expect(made.startInputs.filter(file => !allowed.test(file))).toEqual([])
  const imports = made.startInputs.flatMap(file => made.metafile.inputs[file]?.imports ?? [])
  const external = imports.filter(entry => entry.external && entry.kind === 'import-statement')
  expect(external.map(({ path }) => path).filter(path => !builtins.includes(path))).toEqual([])
})

// A single other character, and Node takes half again as long to read the file. Strings are escaped by esbuild; patterns are not.
test('it is ASCII', async () => {
  const text = await readFile(join(dir, name), 'utf8')
  expect(text.match(/.{0,40}[^\t\n -~].{0,40}/g)).toBeNull()
})

test('chunks share what they have in common, and name themselves in a stack', async () => {
  const file = join(dir, 'packed.cjs')
  const start = `const {count}=require("./shared.js");count();setImmediate(()=>require("./later.js"))`
  const later = `console.log(require("./shared.js").count(),"*/ *~/ *~~/");console.log(new Error("here").stack)`
  const shared = `let n=0;exports.count=()=>++n;require("node:path")`
  const chunk = (name: string, code: string, start: boolean) => ({ name: `./${name}.js`, code, start })
  await writeFile(
    file,
    pack([chunk('main', start, true), chunk('later', later, false), chunk('shared', shared, false)], './main.js'),
  )
  const { stdout } = await promisify(execFile)(process.execPath, [file])
  expect(stdout).toMatch(/^2 \*\/ \*~\/ \*~~\/\nError: here\n.*later\.js:/)
})

test('what is neither in the file nor of Node is not found, as its optional users expect', async () => {
  const file = join(dir, 'optional.cjs')
  const code = 'try{require("bufferutil")}catch({code}){console.log(code)}'
  await writeFile(file, pack([{ name: './main.js', code, start: true }], './main.js'))
  expect((await promisify(execFile)(process.execPath, [file])).stdout).toBe('MODULE_NOT_FOUND\n')
})
