import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { cacheDir, keepNewest, touch } from './cache.ts'
import type { Report } from './report.ts'
import { run } from './run.ts'

export const versions = {
  kubernetes: 'v1.35.4',
  karmada: 'v1.18.2',
  etcd: '3.6.16',
  /** What an upgrade begins with. */
  etcd35: '3.5.33',
  coredns: 'v1.14.4',
  konnectivity: 'v0.36.0',
}

interface Component {
  name: string
  package: string
  /** Folder of the module below `components/`; default: the main one. */
  module?: string
  /** Which project's version goes into the program. */
  stamp?: 'kubernetes' | 'karmada'
}

const kubernetes = (name: string): Component => ({
  name,
  package: `k8s.io/kubernetes/cmd/${name}`,
  stamp: 'kubernetes',
})
const karmada = (name: string, command = name.replace('karmada-', '')): Component => ({
  name,
  package: `github.com/karmada-io/karmada/cmd/${command}`,
  stamp: 'karmada',
})

/** In an order that builds the shared packages first. */
const components: Component[] = [
  { name: 'etcd', package: 'go.etcd.io/etcd/server/v3' },
  { name: 'etcdctl', package: 'go.etcd.io/etcd/etcdctl/v3' },
  { name: 'etcdutl', package: 'go.etcd.io/etcd/etcdutl/v3' },
  { name: 'etcd-3.5', package: 'go.etcd.io/etcd/server/v3', module: 'etcd35' },
  { name: 'etcdutl-3.5', package: 'go.etcd.io/etcd/etcdutl/v3', module: 'etcd35' },
  kubernetes('kube-apiserver'),
  kubernetes('kube-controller-manager'),
  kubernetes('kube-scheduler'),
  kubernetes('kubelet'),
  kubernetes('kube-proxy'),
  kubernetes('kubectl'),
  karmada('karmada-aggregated-apiserver'),
  karmada('karmada-controller-manager'),
  karmada('karmada-agent'),
  karmada('karmada-scheduler'),
  karmada('karmada-webhook'),
  karmada('karmadactl', 'karmadactl'),
  { name: 'proxy-server', package: 'sigs.k8s.io/apiserver-network-proxy/cmd/server' },
  { name: 'proxy-agent', package: 'sigs.k8s.io/apiserver-network-proxy/cmd/agent' },
  { name: 'coredns', package: '.', module: 'coredns' },
  { name: 'krew', package: 'sigs.k8s.io/krew/cmd/krew' },
  { name: 'pause', package: './pause' },
]

const sources = join(import.meta.dirname, '../sandbox/components')
const modules = ['', 'coredns', 'etcd35']
const keyed = [
  ...modules.flatMap(module => [join(module, 'go.mod'), join(module, 'go.sum')]),
  'pause/main.go',
  'coredns/main.go',
]
const goEnv = { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' }

/** Builds what the cache lacks and returns the folder of the programs. Throws `CommandError` with the compiler's words. */
export async function ensureComponents(report: Report): Promise<string> {
  const folder = join(cacheDir, 'bin', await componentsKey())
  const missing = components.filter(component => !existsSync(join(folder, component.name)))
  if (missing.length === 0) {
    await touch(folder)
    return folder
  }
  await mkdir(folder, { recursive: true })
  await report.step('Go modules', async () => {
    for (const module of modules) await run(['go', 'mod', 'download'], { cwd: join(sources, module), env: goEnv })
  })
  for (const [index, component] of missing.entries())
    await report.step(`Build ${index + 1} of ${missing.length}: ${component.name}`, () => build(component, folder))
  await keepNewest(dirname(folder), 3)
  return folder
}

async function build(component: Component, folder: string): Promise<void> {
  const unfinished = join(folder, `.${component.name}.${process.pid}`)
  await run(['go', 'build', '-trimpath', `-ldflags=${linkerFlags(component)}`, '-o', unfinished, component.package], {
    cwd: join(sources, component.module ?? ''),
    env: goEnv,
  })
  await rename(unfinished, join(folder, component.name))
}

/** The folder of the Karmada module in Go's module cache. */
export async function karmadaModule(): Promise<string> {
  const { stdout } = await run(['go', 'list', '-m', '-f', '{{.Dir}}', 'github.com/karmada-io/karmada'], {
    cwd: sources,
    env: goEnv,
  })
  return stdout.trim()
}

/** Changes with anything that changes a program: modules, sources, flags, compiler. */
async function componentsKey(): Promise<string> {
  const hash = createHash('sha256')
  const { stdout } = await run(['go', 'version'])
  hash.update(stdout).update(JSON.stringify(components.map(component => [component, linkerFlags(component)])))
  for (const file of keyed) hash.update(await readFile(join(sources, file)))
  return hash.digest('hex').slice(0, 16)
}

function linkerFlags({ stamp }: Component): string {
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(versions.kubernetes) ?? []
  const variables = {
    kubernetes: [
      `-X k8s.io/component-base/version.gitVersion=${versions.kubernetes}`,
      `-X k8s.io/component-base/version.gitMajor=${major}`,
      `-X k8s.io/component-base/version.gitMinor=${minor}`,
    ],
    karmada: [`-X github.com/karmada-io/karmada/pkg/version.gitVersion=${versions.karmada}`],
  }
  return ['-s -w', ...(stamp ? variables[stamp] : [])].join(' ')
}
