import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ImageSpec, imageArchive } from '../../src/build/image/archive.ts'
import { cacheDir, keepNewest, touch } from './cache.ts'
import { imageSpecs, imagesFingerprint } from './images.ts'
import type { Note, Report } from './report.ts'
import { attempt, run } from './run.ts'

/**
 * A containerd root that holds every image, unpacked. Nodes start from a copy of it made of hard links:
 * content and snapshots are never written in place, so that costs a moment and no disk, and all nodes share their page cache.
 */
export async function ensureImageStore(report: Report, bin: string): Promise<string> {
  const specs = await imageSpecs(bin)
  const key = createHash('sha256')
    .update(await imagesFingerprint(specs))
    .digest('hex')
    .slice(0, 16)
  const store = join(cacheDir, 'images', key)
  if (existsSync(store)) {
    await touch(store)
    return store
  }
  const unfinished = `${store}.${process.pid}`
  await report.step(`Images: ${specs.length} to assemble`, async note => {
    try {
      await importAll(specs, unfinished, note)
      await rename(unfinished, store)
    } finally {
      await rm(unfinished, { recursive: true, force: true })
    }
  })
  await keepNewest(dirname(store), 3)
  return store
}

/** Makes a containerd root of these images: `folder`/root. */
export async function importAll(specs: ImageSpec[], folder: string, note: Note): Promise<void> {
  {
    await using containerd = await startContainerd(folder)
    for (const [index, spec] of specs.entries()) {
      note(`${index + 1} of ${specs.length}: ${spec.references[0]}`)
      await containerd.ctr(['images', 'import', '-'], imageArchive(spec))
    }
  }
  await rm(join(folder, 'run'), { recursive: true, force: true })
}

async function startContainerd(folder: string) {
  await mkdir(join(folder, 'run'), { recursive: true })
  const [socket, config] = [join(folder, 'run/containerd.sock'), join(folder, 'run/config.toml')]
  await writeFile(
    config,
    `version = 2
root = "${folder}/root"
state = "${folder}/run/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "${socket}"
`,
  )
  const log = await open(join(folder, 'run/log'), 'w')
  const child = spawn('containerd', ['--config', config], { stdio: ['ignore', log.fd, log.fd] })
  const exited = new Promise(resolve => child.on('exit', resolve))
  await log.close()
  const ctr = ['ctr', '--address', socket, '--namespace', 'k8s.io']
  for (let tries = 0; (await attempt([...ctr, 'version'])).code !== 0; tries++) {
    if (tries > 100 || child.exitCode !== null) throw new Error(`containerd does not answer: see ${folder}/run/log`)
    await sleep(100)
  }
  return {
    ctr: (args: string[], input: AsyncIterable<Buffer>) => run([...ctr, ...args], { input }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await exited
    },
  }
}
