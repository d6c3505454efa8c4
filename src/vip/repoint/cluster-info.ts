import { UserError } from '../../errors.ts'
import type { ObjectRef } from '../../kube/types.ts'
import type { Step } from '../../steps/step.ts'
import { rewrite } from '../kept.ts'
import { readFacts } from '../up/facts.ts'
import type { VipWorld } from '../world.ts'
import { forget, move, moveBack, movedFrom } from './config-map.ts'
import { type RepointJob, shownIfThere, targetNow } from './job.ts'
import type { Target } from './kubeconfig.ts'

/** kubeadm's, which whoever joins asks first. */
const clusterInfo: ObjectRef = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-public', name: 'cluster-info' }
const clusterInfoKey = 'kubeconfig'

/** Throws `UserError` where whoever joins could not check a certificate: it takes server and authority from there, and no other name. */
export async function joinTarget(job: RepointJob, world: VipWorld): Promise<Target> {
  const { settings, asked } = job
  const found = await targetNow(job, await readFacts(world.client, asked.nodes, world))
  if (found.tlsServerName === undefined) return found
  throw new UserError(
    `not all API servers' certificates are known to be for ${settings.vip}: "kubeadm join" needs it`,
    {
      hint: 'the same command without cluster-info in --repoint, or certificates with that address',
    },
  )
}

export const clusterInfoStep = (job: RepointJob): Step<VipWorld> => ({
  title: 'cluster-info moved',
  async objects(world) {
    const to = await joinTarget(job, world)
    return shownIfThere(world, clusterInfo, map => move(map, clusterInfoKey, to))
  },
  async dryRun(world) {
    const to = await joinTarget(job, world)
    const changed = await rewrite(world, clusterInfo, map => move(map, clusterInfoKey, to), true)
    return { changed: changed !== undefined, detail: changed ? `would lead to ${to.server}` : 'nothing would change' }
  },
  async run(world) {
    const to = await joinTarget(job, world)
    const written = await rewrite(world, clusterInfo, map => move(map, clusterInfoKey, to))
    if (written) return { changed: true, detail: `${movedFrom(written)} -> ${to.server}` }
    const there = await world.client.find(clusterInfo, { signal: world.signal })
    return { changed: false, detail: there ? to.server : 'there is none: kubeadm alone makes it' }
  },
})

export const clusterInfoBackStep: Step<VipWorld> = {
  title: 'cluster-info as before',
  objects: world => shownIfThere(world, clusterInfo, moveBack),
  dryRun: async world => ({ changed: (await rewrite(world, clusterInfo, moveBack, true)) !== undefined }),
  async run(world) {
    const back = await rewrite(world, clusterInfo, moveBack)
    const forgotten = await rewrite(world, clusterInfo, forget)
    return { changed: (back ?? forgotten) !== undefined, detail: back ? movedFrom(back) : 'it is so already' }
  },
}
