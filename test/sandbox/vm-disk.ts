import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ImageSpec } from '../../src/build/image/archive.ts'
import { cacheDir, keepNewest, touch } from '../setup/cache.ts'
import { importAll } from '../setup/image-store.ts'
import { imageNames, imageSpecs, imagesFingerprint } from '../setup/images.ts'
import { waitForLock } from '../setup/lock.ts'
import type { Report } from '../setup/report.ts'
import { run } from '../setup/run.ts'

/** It takes only what is written. */
const size = '8G'

/** Control planes do not run there. */
const elsewhere = [imageNames.karmada(''), imageNames.etcd, imageNames.etcdOf(''), imageNames.kubeApiserver]
  .concat(imageNames.kubeControllerManager)
  .map(reference => reference.replace(/:[^:]*$/, ''))

export const isForVmNodes = ({ references }: ImageSpec): boolean =>
  !references.some(reference => elsewhere.some(start => reference.startsWith(start)))

/** The disk that a node in a virtual machine starts from: its containerd has the images, as the others' have. */
export async function ensureVmDisk(report: Report, bin: string): Promise<string> {
  await using _lock = await waitForLock('vm-disk')
  const specs = (await imageSpecs(bin)).filter(isForVmNodes)
  const key = createHash('sha256')
    .update(await imagesFingerprint(specs))
    .digest('hex')
    .slice(0, 16)
  const folder = join(cacheDir, 'vm/disk', key)
  const disk = join(folder, 'disk.img')
  if (existsSync(disk)) {
    await touch(folder)
    return disk
  }
  const unfinished = `${folder}.${process.pid}`
  await report.step(`Disk of virtual machines: ${specs.length} images`, async note => {
    try {
      await importAll(specs, join(unfinished, 'store'), note)
      note('file system')
      await mkdir(join(unfinished, 'tree/lib'), { recursive: true })
      await rename(join(unfinished, 'store/root'), join(unfinished, 'tree/lib/containerd'))
      await run([
        'mkfs.ext4',
        '-q',
        '-F',
        '-m',
        '0',
        '-d',
        join(unfinished, 'tree'),
        join(unfinished, 'disk.img'),
        size,
      ])
      for (const rest of ['store', 'tree']) await rm(join(unfinished, rest), { recursive: true, force: true })
      await rename(unfinished, folder)
    } finally {
      await rm(unfinished, { recursive: true, force: true })
    }
  })
  await keepNewest(dirname(folder), 3)
  return disk
}
