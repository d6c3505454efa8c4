import { X509Certificate } from 'node:crypto'
import { UserError } from '../../../errors.ts'
import { pause } from '../../../kube/pause.ts'
import { servedCertificate } from '../../client/served.ts'
import type { MemberFiles } from '../driver.ts'
import { annotation } from './names.ts'
import { ensureNamespace } from './namespace.ts'
import { digestOf, type Pod, portOf, runningOf, type Secret, secretOf } from './objects.ts'
import { applyOurs } from './ours.ts'
import { runs } from './pod-state.ts'
import { findForeign, findPod, podRef, type Site, waiting } from './world.ts'

/** See `Driver.deliver`. */
export async function deliver(site: Site, files: MemberFiles): Promise<boolean> {
  const { client, owner } = site
  const foreign = await findForeign(site)
  if (foreign !== undefined) throw new UserError(foreign, { hint: 'delete it, or name another namespace' })
  await ensureNamespace(client, owner.driver.namespace, waiting(site))
  const { mended } = await applyOurs(site, secretOf(owner, files))
  const pod = await findPod(site)
  if (pod && runs(pod)) await served(site, pod, files)
  return mended.length > 0
}

/** Until a running etcd shows the new certificates: the kubelet looks at volumes about once a minute, or when the pod changes. */
async function served(site: Site, pod: Pod, files: MemberFiles): Promise<void> {
  const running = runningOf(pod)
  if (!running) return
  const { args } = running.launch
  const ports = { 'server.pem': portOf(args, 'listen-client-urls'), 'peer.pem': portOf(args, 'listen-peer-urls') }
  const { client, member, signal, timeoutMs } = site
  const end = performance.now() + timeoutMs
  let told = false
  for (const file of ['server.pem', 'peer.pem'] as const) {
    const wanted = new X509Certificate(files[file]).fingerprint256
    for (;;) {
      const shown = await servedCertificate(member.address, ports[file], undefined, { signal }).catch(() => undefined)
      signal.throwIfAborted()
      if (shown?.fingerprint256 === wanted) break
      if (!told) {
        const annotations = { [annotation.files]: digestOf(files) }
        await client.mergePatch(podRef(site), { metadata: { annotations } }, { signal })
        told = true
      }
      if (performance.now() > end) {
        throw new UserError(`${member.name} does not show its new certificate on port ${ports[file]}`, {
          hint: `kubectl --context ${site.owner.driver.context} describe pod -n ${site.owner.driver.namespace} ${pod.metadata.name}`,
        })
      }
      await pause(200, signal)
    }
  }
}

/** The certificates of a Secret without their keys; undefined: not all are there. Pure. */
export function deliveredIn(secret: Secret | undefined): MemberFiles | undefined {
  const text = (name: keyof MemberFiles) => Buffer.from(secret?.data?.[name] ?? '', 'base64').toString()
  const files = { 'ca.crt': text('ca.crt'), 'server.pem': text('server.pem'), 'peer.pem': text('peer.pem') }
  if (Object.values(files).some(content => !content)) return undefined
  return { ...files, 'server.pem': withoutKeys(files['server.pem']), 'peer.pem': withoutKeys(files['peer.pem']) }
}

const withoutKeys = (pem: string): string =>
  pem.replaceAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----\n?/g, '')
