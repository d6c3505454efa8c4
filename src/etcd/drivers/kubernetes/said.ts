import { podTrouble } from '../../../kube/wait.ts'
import { lastWordsOf } from '../words.ts'
import type { Pod } from './objects.ts'
import { exitCode } from './pod-state.ts'
import { findPod, podRef, type Site, selectorOf } from './world.ts'

/** Of a member that does not run: its exit and last words; else why its pod does not come up. */
export async function lastSaid(site: Site, pod: Pod): Promise<string | undefined> {
  const code = exitCode(pod)
  if (code === undefined) {
    const trouble = await podTrouble(site.client, site.owner.driver.namespace, selectorOf(site))
    return trouble.replace(/^pod \S+: /, '') || undefined
  }
  const words = lastWordsOf(await logs(site, 100))
  return words === undefined ? `exit ${code}` : `exit ${code}: ${words}`
}

/** See `Driver.logs`. */
export async function logs(site: Site, lines: number): Promise<string> {
  const { client, signal } = site
  const pod = await findPod(site)
  if (!pod) return ''
  const { namespace, name } = podRef(site)
  // A container that waits for its next start has said in the last one why it died.
  const status = pod.status?.containerStatuses?.[0]
  const previous = status?.state?.waiting && status.restartCount > 0 ? 'true' : undefined
  const query = { container: 'etcd', tailLines: String(lines), previous }
  const answer = await client.raw(`/api/v1/namespaces/${namespace}/pods/${name}/log`, { query, signal })
  return answer.status === 200 ? answer.text : ''
}
