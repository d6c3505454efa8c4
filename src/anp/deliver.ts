import type { Deployment } from '../karmada/agent.ts'
import { buildWork, notApplied, type Work, workRef } from '../karmada/work.ts'
import type { KubeObject } from '../kube/types.ts'
import { applyAll, planned } from '../steps/objects.ts'
import type { PlannedObject, StepResult } from '../steps/step.ts'
import { labels, workName } from './names.ts'
import { allReady } from './ready.ts'
import { serverRef } from './servers.ts'
import type { MemberJob, World } from './world.ts'

/** How one member gets its objects. */
interface Courier {
  title: string
  planned(objects: KubeObject[]): PlannedObject[]
  apply(world: World, objects: KubeObject[], dryRun?: boolean): Promise<StepResult>
  /** Why they are not there yet, where that can be known. */
  trouble(world: World): Promise<string | undefined>
}

export function courierOf({ member, deliver, client }: MemberJob): Courier {
  if (deliver === 'context' && client) {
    return {
      title: 'Agent, delivered by context',
      planned: objects => planned(`member ${member}, context ${client.context}`, objects),
      apply: (world, objects, dryRun) => applyAll(client, objects, world, dryRun),
      trouble: async () => undefined,
    }
  }
  if (deliver === 'print') {
    return {
      title: 'Agent, handed over',
      planned: objects => planned(`member ${member}, to be applied there`, objects),
      async apply(world, objects) {
        const { host, settings } = world
        const servers = await host.find<Deployment>(serverRef(member, settings.namespace))
        // Connected means that somebody applied them.
        if (allReady('connected')(servers) !== true) await world.handOver(objects)
        return { changed: false }
      },
      trouble: async () => `nobody applied the printed manifests in ${member} yet`,
    }
  }
  const work = (objects: KubeObject[]) => buildWork(member, workName, labels('anp-agent', member), objects)
  return {
    title: 'Agent, delivered through Karmada',
    planned: objects => {
      const { namespace, name } = workRef(member, workName)
      return planned(`member ${member}, through Work ${namespace}/${name}`, objects)
    },
    apply: (world, objects, dryRun) => applyAll(world.karmada, [work(objects)], world, dryRun),
    trouble: async ({ karmada }) => notApplied(await karmada.find<Work>(workRef(member, workName))),
  }
}
