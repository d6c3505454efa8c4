// The first thing that `npm start`, `npm test` and `npm run sandbox` run: plain JavaScript for the system's Node.
// It makes sure that the rest can run, and hands over to the Node that the project brings along.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { missingPrerequisites } from './prerequisites.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const scripts = { start: 'test/setup/start.ts', test: 'test/setup/test.ts', sandbox: 'test/sandbox/main.ts' }

/** @param {string[]} lines */
function stop(lines) {
  for (const line of lines) process.stderr.write(`error: ${line}\n`)
  process.exit(1)
}

/** `npm ci`, when the installed packages are not those of package-lock.json. */
function installPackages() {
  const stamp = join(root, 'node_modules/.karmada-net-installed')
  const lock = join(root, 'package-lock.json')
  const wanted = createHash('sha256').update(readFileSync(lock)).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  // Installed by hand: npm writes this file last.
  const installed = join(root, 'node_modules/.package-lock.json')
  if (existsSync(stamp) || !existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
    process.stderr.write(' … npm packages\n')
    const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 2, 2],
    })
    if (npm.status !== 0) stop(['npm ci did not succeed: see above'])
  }
  writeFileSync(stamp, wanted)
}

const [command = '', ...args] = process.argv.slice(2)
const script = scripts[/** @type {keyof typeof scripts} */ (command)]
if (!script) stop([`unknown command "${command}": there are ${Object.keys(scripts).join(', ')}`])
const missing = missingPrerequisites()
if (missing.length > 0) stop(missing)
installPackages()

const node = join(root, 'node_modules/.bin/node')
const child = spawn(node, [join(root, script), ...args], { stdio: 'inherit', cwd: root })
// The terminal sends an interrupt to both; this one waits for what the other makes of it.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('error', error => stop([`${node}: ${error.message}`]))
child.on('close', (code, signal) => process.exit(code ?? (signal ? 130 : 1)))
