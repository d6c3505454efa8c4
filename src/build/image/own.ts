import { createHash } from 'node:crypto'
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ownImage } from '../../images.ts'
import { bundleAgents } from '../agents.ts'
import { bundle } from '../bundle.ts'
import { licencesText, thirdParties } from '../licences.ts'
import { base, version } from '../node.ts'
import type { ImageFile, ImageSpec } from './archive.ts'
import { copyrightsOf } from './copyrights.ts'
import { type CopiedFile, librariesOf } from './libraries.ts'

const root = join(import.meta.dirname, '../../..')

/** Programs of Debian, by the package that brings them. */
const tools = { ipvsadm: '/usr/sbin/ipvsadm', iproute2: '/sbin/ip' }

/** What changes with Debian, what changes with Node, and then ours: a new version of ours is some hundred kilobytes to pull. */
export const lowerLayers = 2

/**
 * The project's own image: Node, ipvsadm, ip, the agents' bundles below /karmada-net and the plugin on the PATH. There is no shell.
 * The same sources, Node and Debian give the same bytes. Throws where Debian's packages are not installed.
 */
export async function ownSpec(): Promise<ImageSpec> {
  return {
    references: [ownImage(await version())],
    config: {
      Env: ['PATH=/usr/local/bin:/usr/sbin:/sbin', 'NODE_ENV=production'],
      Entrypoint: ['kubectl-karmada_net'],
      User: '65532:65532',
    },
    layers: [...(await lower()), await ours()],
  }
}

/** The lower layers alone, for an image store that will be given ours later. */
export const baseSpec = async (): Promise<ImageSpec> => ({
  references: ['localhost/karmada-net-base:latest'],
  config: {},
  layers: await lower(),
})

async function lower(): Promise<ImageFile[][]> {
  for (const [name, path] of Object.entries(tools))
    await access(path).catch(() => {
      throw new Error(`the image takes ${path} from this machine: apt-get install ${name}`)
    })
  const libraries = await librariesOf(Object.values(tools))
  const known = new Set(libraries.map(({ path }) => path))
  const forNode = (await librariesOf([base])).filter(({ path }) => !known.has(path))
  const debian = [...Object.values(tools), ...[...libraries, ...forNode].map(({ source }) => source)]
  return [
    [
      { path: '/etc/passwd', content: 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532::/:/sbin/nologin\n' },
      { path: '/etc/group', content: 'root:x:0:\nnonroot:x:65532:\n' },
      { path: '/etc/nsswitch.conf', content: 'hosts: files dns\n' },
      { path: '/karmada-net/boot-files', content: bootFiles(libraries) },
      { path: '/usr/sbin/ipvsadm', source: tools.ipvsadm },
      { path: '/sbin/ip', source: tools.iproute2 },
      ...libraries,
      ...forNode,
      ...(await copyrightsOf(debian)),
    ],
    [{ path: '/usr/local/bin/node', source: base }],
  ]
}

/** What runs ipvsadm and ip on any host: a list for the one who copies it there, who has no `ldd`. */
const bootFiles = (libraries: CopiedFile[]): string =>
  [...Object.values(tools), ...libraries.map(({ path }) => path)].map(path => `${path}\n`).join('')

async function ours(): Promise<ImageFile[]> {
  const [plugin, agents, licence] = await Promise.all([
    bundle({}),
    bundleAgents(),
    readFile(join(root, 'LICENSE'), 'utf8'),
  ])
  const others = licencesText('kubectl-karmada_net', await thirdParties(plugin.metafile))
  // There is no /usr/bin/env either.
  const content = plugin.text.replace(/^#!.*/, '#!/usr/local/bin/node')
  return [
    { path: '/usr/local/bin/kubectl-karmada_net', content, mode: 0o755 },
    ...agents.map(({ name, text }) => ({ path: `/karmada-net/${name}.js`, content: text })),
    { path: '/usr/share/doc/karmada-net/LICENSE', content: licence },
    { path: '/usr/share/doc/karmada-net/THIRD-PARTY-LICENSES', content: others },
  ]
}

/** Changes when our own layer does. */
export const ownKey = ({ references, layers }: ImageSpec): string =>
  createHash('sha256')
    .update(JSON.stringify([references, layers.slice(lowerLayers)]))
    .digest('hex')
    .slice(0, 16)
