import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'

/**
 * @typedef {object} Machine
 * @property {string} platform
 * @property {string} arch
 * @property {number | undefined} uid
 * @property {string} node version, without v
 * @property {(program: string) => boolean} has is it on the PATH
 * @property {() => string | undefined} go Go's version; undefined when there is none
 */

/** @type {Machine} */
const thisMachine = {
  platform: process.platform,
  arch: process.arch,
  uid: process.getuid?.(),
  node: process.versions.node,
  has: program => (process.env.PATH ?? '').split(delimiter).some(folder => existsSync(join(folder, program))),
  go() {
    const { status, stdout } = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' })
    return status === 0 ? stdout.trim().replace(/^go/, '') : undefined
  },
}

/**
 * One line for each thing that must be there first, saying what to install.
 * @param {Machine} machine
 * @returns {string[]}
 */
export function missingPrerequisites({ platform, arch, uid, node, has, go } = thisMachine) {
  if (platform !== 'linux' || arch !== 'x64') return [`Linux on x86_64 is needed; this is ${platform} on ${arch}`]
  const goVersion = go()
  return [
    atLeast(node, [20]) ? '' : `Node.js 20 or newer is needed, this is ${node}: install it from https://nodejs.org`,
    has('npm') ? '' : 'npm is needed: install it with Node.js from https://nodejs.org',
    goVersion && atLeast(goVersion, [1, 26])
      ? ''
      : `Go 1.26 or newer is needed${goVersion ? `, this is ${goVersion}` : ''}: install it from https://go.dev/dl`,
    has('apt-get') ? '' : 'apt-get is needed: run this on Debian or a system made of its packages',
    uid === 0 ? '' : 'root is needed, for namespaces and control groups: run this with sudo or as root',
  ].filter(Boolean)
}

/**
 * @param {string} version
 * @param {number[]} least
 */
function atLeast(version, least) {
  const parts = version.split(/[^0-9]+/).map(Number)
  for (const [index, number] of least.entries()) {
    const part = parts[index] ?? 0
    if (part !== number) return part > number
  }
  return true
}
