import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { cacheDir, keepNewest, touch } from '../setup/cache.ts'
import { waitForLock } from '../setup/lock.ts'
import { ensurePackages, vmPackages } from '../setup/packages.ts'
import type { Report } from '../setup/report.ts'
import { run } from '../setup/run.ts'
import { type CpioEntry, cpioArchive } from './cpio.ts'

/** What a virtual machine boots from. */
export interface VmParts {
  kernel: string
  initrd: string
  /** The kernel's modules: a folder as /lib/modules/VERSION. */
  modules: string
}

const vmCache = join(cacheDir, 'vm')
/** Found through it whatever its current version is called. */
const kernelPackage = 'linux-image-amd64'
/** What the machine needs before it has a root. */
const firstModules = ['virtio_pci', 'virtio_net', 'virtio_console', 'virtio_blk', '9pnet_virtio', '9p', 'overlay']
/** And before it has a disk. */
const diskModules = ['ext4', 'crc32c_generic']
const sources = ['init.sh', 'plain.sh', 'agent/go.mod', 'agent/main.go', 'agent/terminal.go']

/** Installs, downloads and builds what is missing; a moment when nothing is. */
export async function ensureVmParts(report: Report): Promise<VmParts> {
  await using _lock = await waitForLock('vm')
  await ensurePackages(report)
  await ensurePackages(report, vmPackages)
  const kernel = await ensureKernel(report)
  const initrd = await ensureInitrd(kernel, report)
  return { ...kernel, initrd }
}

/** The kernel that is there, or the one that Debian has now. It is unpacked, not installed. */
async function ensureKernel(report: Report): Promise<Omit<VmParts, 'initrd'>> {
  const folder = join(vmCache, 'kernel')
  if (!existsSync(folder))
    await report.step('Kernel of the virtual machines', async note => {
      await mkdir(vmCache, { recursive: true })
      const unfinished = `${folder}.${process.pid}`
      try {
        await mkdir(unfinished)
        await unpackKernel(unfinished, note)
        await rename(unfinished, folder)
      } finally {
        await rm(unfinished, { recursive: true, force: true })
      }
      return (await readdir(join(folder, 'lib/modules')))[0]
    })
  const [version = ''] = await readdir(join(folder, 'lib/modules'))
  return { kernel: join(folder, 'boot', `vmlinuz-${version}`), modules: join(folder, 'lib/modules', version) }
}

async function unpackKernel(folder: string, note: (text: string) => void): Promise<void> {
  note('apt-get update')
  await run(['apt-get', 'update', '-qq'])
  const { stdout } = await run(['apt-cache', 'depends', '--important', kernelPackage])
  const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1]
  if (!name) throw new Error(`apt-cache knows no current version of ${kernelPackage}: this needs Debian's archive`)
  note(name)
  // apt-get download works as another user, which may not look into root's own folders.
  const download = await mkdtemp(join(tmpdir(), 'karmada-net-kernel-'))
  try {
    await run(['apt-get', 'download', '-qq', '-o', 'APT::Sandbox::User=root', name], { cwd: download })
    const [archive = ''] = await readdir(download)
    const unpack = `dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" ${leftOut.map(path => `--exclude='${path}'`).join(' ')}`
    await run(['sh', '-c', unpack, 'unpack', join(download, archive), folder])
  } finally {
    await rm(download, { recursive: true, force: true })
  }
  const [version = ''] = await readdir(join(folder, 'lib/modules'))
  await run(['depmod', '-b', folder, version])
}

/** Two thirds of the modules drive devices that no virtual machine has. */
const leftOut = [
  ...[
    'gpu',
    'media',
    'infiniband',
    'staging',
    'iio',
    'usb',
    'scsi',
    'hid',
    'input',
    'mtd',
    'isdn',
    'hwmon',
    'bluetooth',
  ],
  ...['net/wireless', 'net/ethernet'],
].map(name => `*/kernel/drivers/${name}`)
leftOut.push('*/kernel/sound', './usr', './boot/System.map*')

async function ensureInitrd({ modules }: Omit<VmParts, 'initrd'>, report: Report): Promise<string> {
  const hash = createHash('sha256')
    .update(modules)
    .update(await readFile(join(modules, 'modules.dep')))
  for (const file of sources) hash.update(await readFile(join(import.meta.dirname, file)))
  const folder = join(vmCache, 'boot', hash.digest('hex').slice(0, 16))
  const initrd = join(folder, 'initrd')
  if (existsSync(initrd)) {
    await touch(folder)
    return initrd
  }
  await report.step('First root of the virtual machines', async () => {
    await mkdir(folder, { recursive: true })
    await writeFile(`${initrd}.${process.pid}`, cpioArchive(await firstRoot(modules, folder)))
    await rename(`${initrd}.${process.pid}`, initrd)
  })
  await keepNewest(dirname(folder), 3)
  return initrd
}

async function firstRoot(modules: string, folder: string): Promise<CpioEntry[]> {
  const agent = join(folder, 'agent')
  await run(['go', 'build', '-trimpath', '-ldflags=-s -w', '-o', agent, '.'], {
    cwd: join(import.meta.dirname, 'agent'),
    env: { CGO_ENABLED: '0' },
  })
  const first = await moduleFiles(modules, firstModules)
  const disk = (await moduleFiles(modules, diskModules)).filter(file => !first.includes(file))
  const list = (files: string[]) => Buffer.from(files.map(file => `/mods/${basename(file)}\n`).join(''))
  const program = async (path: string, source: string): Promise<CpioEntry> => ({
    path,
    mode: 0o755,
    content: await readFile(source),
  })
  return [
    ...['proc', 'sys', 'dev', 'bin', 'mods'].map(path => ({ path, mode: 0o755 })),
    await program('bin/busybox', '/bin/busybox'),
    await program('agent', agent),
    await program('init', join(import.meta.dirname, 'init.sh')),
    await program('plain.sh', join(import.meta.dirname, 'plain.sh')),
    ...(await Promise.all([...first, ...disk].map(file => program(`mods/${basename(file)}`, file)))),
    { path: 'modules', mode: 0o644, content: list(first) },
    { path: 'modules.disk', mode: 0o644, content: list(disk) },
  ]
}

/** With those they depend on, in the order in which they can be loaded. */
async function moduleFiles(modules: string, names: string[]): Promise<string[]> {
  const root = join(modules, '../../..')
  const version = basename(modules)
  const files = new Set<string>()
  for (const name of names) {
    const { stdout } = await run(['modprobe', '-d', root, '-S', version, '--show-depends', name])
    for (const [, file] of stdout.matchAll(/^insmod (\S+)/gm)) if (file) files.add(file)
  }
  return [...files]
}
