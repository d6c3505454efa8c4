import { createPrivateKey } from 'node:crypto'
import { isIP } from 'node:net'
import { UserError } from '../errors.ts'
import { createAuthority, issue, type KeyPair, type KeyType } from '../pki/certificate.ts'
import { whyReplace } from '../pki/inspect.ts'
import { nextFiles, readRotation, roles, type Which } from './certs/rotation.ts'
import type { ClientIdentity } from './client/types.ts'
import type { ClusterSpec, MemberSpec } from './cluster.ts'
import type { MemberFiles } from './drivers/driver.ts'
import type { Store } from './store/store.ts'

export const authorityDays = 3650
const leafDays = 365
/** Leaves are issued anew when this is left, so that any `etcd up` in the last month renews them. */
export const renewBeforeDays = 30

/** The user that this plugin itself is to etcd. */
export const admin = 'admin'

export const authorityFiles = { certificate: 'ca.crt', key: 'ca.key' }
export const clientFiles = (consumer: string) => ({
  certificate: `clients/${consumer}.crt`,
  key: `clients/${consumer}.key`,
})

/** Who signs, and whom everybody is to trust: one authority, or the old and the new one while it changes. */
export interface Authority extends KeyPair {
  bundle: string
}

/** The cluster's authority as members know it now. Throws UserError where the store has none, or not its key. */
export async function authorityOf(store: Store): Promise<Authority> {
  return (await authoritiesOf(store)).members
}

/** Members and clients are issued by different ones in the middle of `etcd certs rotate --ca`. Throws UserError as `authorityOf`. */
async function authoritiesOf(store: Store): Promise<{ members: Authority; clients: Authority }> {
  const { members, clients, trusted } = roles(await readRotation(store))
  const needed = [...new Set([members, clients, ...trusted])]
  const pairs = new Map(await Promise.all(needed.map(async which => [which, await requirePair(store, which)] as const)))
  const pairOf = (which: Which) => pairs.get(which) ?? { certificate: '', key: '' }
  const bundle = bundleOf(trusted.map(which => pairOf(which).certificate))
  return { members: { ...pairOf(members), bundle }, clients: { ...pairOf(clients), bundle } }
}

const bundleOf = (certificates: string[]): string => certificates.map(text => `${text.trim()}\n`).join('')

const filesOf = { current: authorityFiles, next: nextFiles }

async function requirePair(store: Store, which: Which): Promise<KeyPair> {
  const pair = await readPair(store, filesOf[which])
  if (pair) return pair
  const what = which === 'current' ? 'certificate authority' : 'new certificate authority'
  throw new UserError(`there is no ${what} in ${store.where}`, {
    hint: 'kubectl karmada-net etcd up makes one; without the key nothing can be issued',
  })
}

/** Makes the authority that is not there yet, or takes the one given. True: it is new. Throws UserError for another one than the store's. */
export async function ensureAuthority(store: Store, spec: ClusterSpec, given?: KeyPair): Promise<boolean> {
  await requireAuthority(store, spec, given)
  if (await readPair(store, authorityFiles)) return false
  const authority = given ?? createAuthority(`karmada-net etcd ${spec.name}`, { days: authorityDays }, spec.keyType)
  await store.write({ [authorityFiles.certificate]: authority.certificate, [authorityFiles.key]: authority.key })
  return true
}

/** Throws UserError where the store has another authority than the one given, or that one cannot be used. */
export async function requireAuthority(store: Store, spec: Pick<ClusterSpec, 'name'>, given?: KeyPair): Promise<void> {
  const existing = await readPair(store, authorityFiles)
  if (!given || given.certificate.trim() === existing?.certificate.trim()) return
  if (existing) {
    throw new UserError(`${spec.name} has another certificate authority already`, {
      hint: 'kubectl karmada-net etcd certs rotate --ca changes it while everything runs',
    })
  }
  const why = whyReplace(given, { authority: given.certificate, minDaysLeft: renewBeforeDays, now: new Date() })
  if (why) throw new UserError(`this certificate authority cannot be used: ${why}`)
}

/** Names that a member's certificates must cover: what others dial, and where its own packets come from. */
export const namesOf = ({ address, listen }: MemberSpec): string[] => {
  const own = listen !== undefined && isIP(listen) !== 0 && !/^(0\.0\.0\.0|::)$/.test(listen) ? [listen] : []
  return [...new Set([address, ...own])]
}

/**
 * New certificates for one member. Its server certificate is a client's as well, because etcd's JSON gateway dials etcd with it; so
 * is its peer certificate, because peers dial each other.
 */
export function memberFiles(
  authority: KeyPair & Partial<Authority>,
  member: MemberSpec,
  keyType: KeyType,
  bundle = authority.bundle ?? authority.certificate,
): MemberFiles {
  const signer = { certificate: authority.certificate, key: createPrivateKey(authority.key) }
  const leaf = (role: string) => {
    const pair = issue(
      signer,
      {
        commonName: `${member.name} ${role}`,
        usages: ['server', 'client'],
        names: namesOf(member),
        days: leafDays,
      },
      keyType,
    )
    return pair.certificate + pair.key
  }
  return { 'ca.crt': bundle, 'server.pem': leaf('server'), 'peer.pem': leaf('peer') }
}

/** Why what was delivered to a member cannot stay; undefined: it can. */
export function whyDeliver(
  delivered: MemberFiles | undefined,
  need: { authority: Pick<Authority, 'certificate' | 'bundle'>; member: MemberSpec; now: Date },
): string | undefined {
  if (delivered === undefined) return 'new'
  if (delivered['ca.crt'].trim() !== need.authority.bundle.trim()) return 'another certificate authority'
  for (const file of ['server.pem', 'peer.pem'] as const) {
    const why = whyReplace(
      { certificate: delivered[file] },
      {
        authority: need.authority.certificate,
        names: namesOf(need.member),
        minDaysLeft: renewBeforeDays,
        now: need.now,
      },
    )
    if (why) return `${file.replace('.pem', ' certificate')} ${why}`
  }
  return undefined
}

/** A consumer's certificate: from the store, or issued and kept there. Its common name is its name, for etcd's RBAC and its log. */
export async function ensureClient(
  store: Store,
  consumer: string,
  keyType: KeyType,
): Promise<{ pair: KeyPair; issued: boolean }> {
  const { clients: authority } = await authoritiesOf(store)
  const existing = await readPair(store, clientFiles(consumer))
  const need = { authority: authority.certificate, minDaysLeft: renewBeforeDays, now: new Date() }
  if (existing && !whyReplace(existing, need)) return { pair: existing, issued: false }
  return { pair: await renewClient(store, consumer, keyType), issued: true }
}

/** A new certificate for a consumer, whatever it has; kept in the store. */
export async function renewClient(store: Store, consumer: string, keyType: KeyType): Promise<KeyPair> {
  const { clients: authority } = await authoritiesOf(store)
  const pair = issueClient(authority, consumer, keyType)
  const files = clientFiles(consumer)
  await store.write({ [files.certificate]: pair.certificate, [files.key]: pair.key })
  return pair
}

export function issueClient(authority: KeyPair, commonName: string, keyType: KeyType, days = leafDays): KeyPair {
  const signer = { certificate: authority.certificate, key: createPrivateKey(authority.key) }
  return issue(signer, { commonName, usages: ['client'], days }, keyType)
}

/** As what and trusting whom this plugin talks to etcd. Throws UserError where the store does not have it. */
export async function adminIdentity(store: Store): Promise<ClientIdentity> {
  const [pair, ca] = await Promise.all([readPair(store, clientFiles(admin)), trustedBy(store)])
  if (pair && ca) return { ca, ...pair }
  throw new UserError(`the certificate of ${admin} is not in ${store.where}`, {
    hint: 'kubectl karmada-net etcd up issues it',
  })
}

/** Whom clients are to trust now, without the key; undefined: there is no authority yet. */
export async function trustedBy(store: Store): Promise<string | undefined> {
  const { trusted } = roles(await readRotation(store))
  const texts = await Promise.all(trusted.map(which => store.read(filesOf[which].certificate)))
  const certificates = texts.filter(text => text !== undefined)
  return certificates.length === texts.length ? bundleOf(certificates) : undefined
}

async function readPair(store: Store, files: { certificate: string; key: string }): Promise<KeyPair | undefined> {
  const [certificate, key] = await Promise.all([store.read(files.certificate), store.read(files.key)])
  return certificate && key ? { certificate, key } : undefined
}
