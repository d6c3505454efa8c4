import { open, realpath } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { ImageFile, ImageSpec } from '../../src/build/image/archive.ts'
import { librariesOf } from '../../src/build/image/libraries.ts'
import { baseSpec } from '../../src/build/image/own.ts'
import { cacheDir } from './cache.ts'
import { versions } from './components.ts'
import { run } from './run.ts'

const kubernetesRegistry = 'registry.k8s.io'
const pathVariable = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const passwd: ImageFile = {
  path: '/etc/passwd',
  content:
    'root:x:0:0:root:/root:/bin/sh\nhaproxy:x:99:99::/var/lib/haproxy:/bin/false\nnonroot:x:65532:65532::/:/bin/false\n',
}

/** The references of the images, for the manifests of the sandbox itself. */
export const imageNames = {
  pause: `${kubernetesRegistry}/pause:3.10`,
  coredns: `${kubernetesRegistry}/coredns/coredns:${versions.coredns}`,
  etcd: `${kubernetesRegistry}/etcd:${versions.etcd}-0`,
  /** As its own project publishes it. */
  etcdOf: (version: string): string => `gcr.io/etcd-development/etcd:v${version}`,
  kubeApiserver: `${kubernetesRegistry}/kube-apiserver:${versions.kubernetes}`,
  kubeControllerManager: `${kubernetesRegistry}/kube-controller-manager:${versions.kubernetes}`,
  proxyServer: `${kubernetesRegistry}/kas-network-proxy/proxy-server:${versions.konnectivity}`,
  proxyAgent: `${kubernetesRegistry}/kas-network-proxy/proxy-agent:${versions.konnectivity}`,
  haproxy: 'docker.io/library/haproxy:3.2',
  busybox: 'docker.io/library/busybox:1.36',
  karmada: (component: string): string => `docker.io/karmada/karmada-${component}:${versions.karmada}`,
}

/** Every image of the sandbox, under its public name, from the programs in `bin` and from Debian's packages. */
export async function imageSpecs(bin: string): Promise<ImageSpec[]> {
  const program = (reference: string, paths: string[], config: Record<string, unknown> = {}): ImageSpec => ({
    references: [reference],
    config: { Env: [pathVariable], ...config },
    layers: [[passwd, ...paths.map(path => ({ path, source: join(bin, path.replace(/.*\//, '')) }))]],
  })
  const karmada = (component: string) => program(imageNames.karmada(component), [`/bin/karmada-${component}`])
  const nonroot = (reference: string, path: string) => program(reference, [path], { Entrypoint: [path], User: '65532' })
  const specs = [
    program(imageNames.pause, ['/pause'], { Entrypoint: ['/pause'], User: '65535:65535' }),
    program(imageNames.coredns, ['/coredns'], { Entrypoint: ['/coredns'] }),
    program(imageNames.etcd, ['/usr/local/bin/etcd', '/usr/local/bin/etcdctl', '/usr/local/bin/etcdutl']),
    ...etcdSpecs(bin),
    program(imageNames.kubeApiserver, ['/usr/local/bin/kube-apiserver']),
    program(imageNames.kubeControllerManager, ['/usr/local/bin/kube-controller-manager']),
    karmada('aggregated-apiserver'),
    karmada('controller-manager'),
    karmada('scheduler'),
    karmada('webhook'),
    karmada('agent'),
    nonroot(imageNames.proxyServer, '/proxy-server'),
    nonroot(imageNames.proxyAgent, '/proxy-agent'),
    await haproxy(),
    await busybox(),
    await baseSpec(),
  ]
  const pinned = await pinnedReferences()
  return specs.map(spec => ({ ...spec, references: withDigests(spec.references, pinned) }))
}

/** For engines outside Kubernetes too. As the published ones, they have no shell. */
export function etcdSpecs(bin: string): ImageSpec[] {
  const spec = (version: string, programs: Record<string, string>): ImageSpec => ({
    references: [imageNames.etcdOf(version)],
    config: { Env: [pathVariable], Cmd: ['/usr/local/bin/etcd'], WorkingDir: '/var/lib/etcd' },
    layers: [
      [
        passwd,
        ...Object.entries(programs).map(([name, source]) => ({
          path: `/usr/local/bin/${name}`,
          source: join(bin, source),
        })),
      ],
    ],
  })
  return [
    spec(versions.etcd, { etcd: 'etcd', etcdctl: 'etcdctl', etcdutl: 'etcdutl' }),
    spec(versions.etcd35, { etcd: 'etcd-3.5', etcdutl: 'etcdutl-3.5' }),
  ]
}

/** Debian's HAProxy where the official image has its own, with the libraries that it needs. */
async function haproxy(): Promise<ImageSpec> {
  const program = '/usr/sbin/haproxy'
  return {
    references: [imageNames.haproxy],
    config: {
      Env: [pathVariable],
      Entrypoint: ['haproxy'],
      Cmd: ['-f', '/usr/local/etc/haproxy/haproxy.cfg'],
      StopSignal: 'SIGUSR1',
      User: 'haproxy',
      WorkingDir: '/var/lib/haproxy',
    },
    layers: [
      [
        passwd,
        { path: '/usr/local/sbin/haproxy', source: program },
        { path: '/var/lib/haproxy/.keep', content: '' },
        ...(await librariesOf([program])),
      ],
    ],
  }
}

async function busybox(): Promise<ImageSpec> {
  const { stdout } = await run(['/bin/busybox', '--list'])
  const applets = stdout.split('\n').filter(name => name && name !== 'busybox')
  return {
    references: [imageNames.busybox],
    config: { Env: [pathVariable], Cmd: ['sh'] },
    layers: [
      [
        passwd,
        { path: '/bin/busybox', source: await realpath('/bin/busybox') },
        ...applets.map(name => ({ path: `/bin/${name}`, target: 'busybox' })),
      ],
    ],
  }
}

/** `name:tag` of every reference pinned by digest in the project's manifests and sources, with the digests it has there. */
async function pinnedReferences(): Promise<Map<string, Set<string>>> {
  const root = join(import.meta.dirname, '../..')
  const { stdout } = await run(
    ['grep', '-rhoEI', '[a-z0-9./-]+:[A-Za-z0-9._-]+@sha256:[0-9a-f]{64}', 'manifests', 'src'],
    {
      cwd: root,
    },
  ).catch(() => ({ stdout: '' }))
  const pinned = new Map<string, Set<string>>()
  for (const line of stdout.split('\n').filter(Boolean)) {
    const [reference = '', digest = ''] = line.split('@')
    pinned.set(reference, (pinned.get(reference) ?? new Set()).add(digest))
  }
  return pinned
}

/**
 * A container runtime looks `name:tag@digest` up as `name@digest`. The images here are not the published ones,
 * so they answer to the published digest by an alias of that name.
 */
export const withDigests = (references: string[], pinned: Map<string, Set<string>>): string[] =>
  references.flatMap(reference => [
    reference,
    ...[...(pinned.get(reference) ?? [])].map(digest => `${reference.replace(/:[^:/]+$/, '')}@${digest}`),
  ])

/** Text that changes when an image would. `bin` is keyed by its content already. */
export async function imagesFingerprint(specs: ImageSpec[]): Promise<string> {
  const brought = specs.flatMap(({ layers }) => layers.flat()).flatMap(file => ('source' in file ? file.source : []))
  const files = [...new Set(brought)].filter(path => isAbsolute(path) && !path.startsWith(cacheDir))
  return JSON.stringify([specs, await Promise.all(files.map(endOf))])
}

/** Size and last bytes: a program's end differs with its build. */
async function endOf(path: string): Promise<[size: number, end: string]> {
  await using file = await open(path)
  const { size } = await file.stat()
  const length = Math.min(size, 4096)
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length)
  return [size, buffer.toString('hex')]
}
