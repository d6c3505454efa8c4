import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createAuthority, issue, type KeyPair, type Usage } from '../../src/pki/certificate.ts'
import { type Access, kubeconfig } from './kubeconfig.ts'
import { apiNames, apiPort, type ClusterPlan } from './plan.ts'

const days = 3650

/** Kubeconfig files of a control plane and its node, with the user that each one is. */
const users: Record<string, { commonName: string; organization?: string }> = {
  admin: { commonName: 'kubernetes-admin', organization: 'system:masters' },
  'controller-manager': { commonName: 'system:kube-controller-manager' },
  scheduler: { commonName: 'system:kube-scheduler' },
  'kube-proxy': { commonName: 'system:kube-proxy' },
}

/** Writes certificates and kubeconfigs into a machine's /etc/kubernetes. Returns the administrator's access from outside. */
export async function writePki(folder: string, cluster: ClusterPlan): Promise<Access> {
  const authority = loaded(createAuthority(`${cluster.name}-ca`, { days }))
  const frontProxy = loaded(createAuthority(`${cluster.name}-front-proxy-ca`, { days }))
  const leaf = (commonName: string, usages: Usage[], more: { organization?: string; names?: string[] } = {}) =>
    issue(authority, { commonName, usages, days, ...more })
  const account = generateKeyPairSync('rsa', { modulusLength: 2048 })

  const pairs: Record<string, KeyPair> = {
    ca: authority.pair,
    'front-proxy-ca': frontProxy.pair,
    apiserver: leaf('kube-apiserver', ['server'], { names: apiNames(cluster) }),
    ...(cluster.role === 'host' ? etcdPairs(cluster) : {}),
    'apiserver-kubelet-client': leaf('kube-apiserver-kubelet-client', ['client'], { organization: 'system:masters' }),
    'front-proxy-client': issue(frontProxy, { commonName: 'front-proxy-client', usages: ['client'], days }),
    kubelet: leaf(`system:node:${cluster.name}`, ['server', 'client'], {
      organization: 'system:nodes',
      names: [cluster.name, cluster.address],
    }),
  }
  const pki = join(folder, 'pki')
  await mkdir(pki, { recursive: true })
  for (const [name, pair] of Object.entries(pairs)) {
    await writeFile(join(pki, `${name}.crt`), pair.certificate)
    await secret(join(pki, `${name}.key`), pair.key)
  }
  await secret(join(pki, 'sa.key'), account.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  const publicKey = createPublicKey(account.privateKey)
  await writeFile(join(pki, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }))

  const access = (pair: KeyPair, address: string): Access => ({
    server: `https://${address}:${apiPort}`,
    ca: authority.pair.certificate,
    certificate: pair.certificate,
    key: pair.key,
  })
  const write = (name: string, pair: KeyPair) =>
    secret(join(folder, `${name}.conf`), kubeconfig({ [cluster.name]: access(pair, cluster.address) }))
  const issued = new Map<string, KeyPair>()
  for (const [name, user] of Object.entries(users)) {
    const pair = leaf(user.commonName, ['client'], user)
    issued.set(name, pair)
    await write(name, pair)
  }
  if (pairs['kubelet']) await write('kubelet', pairs['kubelet'])
  const admin = issued.get('admin')
  if (!admin) throw new Error('no administrator among the users')
  return access(admin, cluster.adminAddress)
}

/** For API servers on other machines; the one beside etcd uses it without. */
function etcdPairs({ name, address }: ClusterPlan): Record<string, KeyPair> {
  const authority = loaded(createAuthority('etcd-ca', { days }))
  return {
    'etcd-ca': authority.pair,
    'etcd-server': issue(authority, { commonName: name, usages: ['server', 'client'], names: [address], days }),
    'etcd-client': issue(authority, { commonName: 'kube-apiserver-etcd-client', usages: ['client'], days }),
  }
}

/** Writes the certificate that an API server shows, by the authority of the host that these files are of. One that runs takes it at once. */
export async function writeServingPair(hostFolder: string, folder: string, names: string[]): Promise<void> {
  const authority = await readAuthority(hostFolder)
  const pair = issue(authority, { commonName: 'kube-apiserver', usages: ['server'], names, days })
  await secret(join(folder, 'pki/apiserver.key'), pair.key)
  await writeFile(join(folder, 'pki/apiserver.crt'), pair.certificate)
}

/** Writes what a further node of a cluster has: its own certificates and kubeconfigs. */
export async function writeNodePki(
  hostFolder: string,
  folder: string,
  cluster: ClusterPlan,
  node: { name: string; address: string },
): Promise<void> {
  const authority = await readAuthority(hostFolder)
  const issued = (commonName: string, usages: Usage[], more: { organization?: string; names?: string[] } = {}) =>
    issue(authority, { commonName, usages, days, ...more })
  const kubelet = issued(`system:node:${node.name}`, ['server', 'client'], {
    organization: 'system:nodes',
    names: [node.name, node.address],
  })
  await mkdir(join(folder, 'pki'), { recursive: true })
  await writeFile(join(folder, 'pki/ca.crt'), authority.certificate)
  await writeFile(join(folder, 'pki/kubelet.crt'), kubelet.certificate)
  await secret(join(folder, 'pki/kubelet.key'), kubelet.key)
  const users: Record<string, KeyPair> = { kubelet, 'kube-proxy': issued('system:kube-proxy', ['client']) }
  for (const [name, pair] of Object.entries(users)) {
    const access = { server: `https://${cluster.address}:${apiPort}`, ca: authority.certificate, ...pair }
    await secret(join(folder, `${name}.conf`), kubeconfig({ [cluster.name]: access }))
  }
}

async function readAuthority(hostFolder: string) {
  const [certificate, key] = await Promise.all(
    ['ca.crt', 'ca.key'].map(file => readFile(join(hostFolder, 'pki', file), 'utf8')),
  )
  return { certificate: certificate ?? '', key: createPrivateKey(key ?? '') }
}

const loaded = (pair: KeyPair) => ({ pair, certificate: pair.certificate, key: createPrivateKey(pair.key) })

const secret = (path: string, content: string) => writeFile(path, content, { mode: 0o600 })
