import { counted } from '../counted.ts'
import { UserError } from '../errors.ts'
import type { Deployment } from '../karmada/agent.ts'
import { waitFor } from '../kube/wait.ts'
import { applyAll, planned } from '../steps/objects.ts'
import type { Step } from '../steps/step.ts'
import { gatewayAddress, type Service } from './address.ts'
import { agentsPort, gatewayName } from './names.ts'
import { gatewayObjects } from './plan.ts'
import { allReady } from './ready.ts'
import { type Address, hostPort } from './settings.ts'
import type { World } from './world.ts'

const deploymentRef = (namespace: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  name: gatewayName,
  namespace,
})
const serviceRef = (namespace: string) => ({ apiVersion: 'v1', kind: 'Service', name: gatewayName, namespace })

const objects = ({ settings, nodePort }: World) => gatewayObjects(settings, nodePort)

/** The gateway on the host cluster, up to its address; `world.gateway` is known afterwards. */
export const gatewayStep: Step<World> = {
  title: 'Gateway',
  objects: world => planned(`host ${world.hostName}`, objects(world)),
  dryRun: world => applyAll(world.host, objects(world), world, true),
  async run(world, progress) {
    const { host, settings, signal, timeoutMs } = world
    world.gatewayIsNew = (await host.find(deploymentRef(settings.namespace))) === undefined
    const { changed } = await applyAll(host, objects(world), world)
    await waitFor<Deployment>(host, deploymentRef(settings.namespace), allReady('ready'), {
      timeoutMs,
      signal,
      onProgress: progress,
    })
    world.gateway ??= await loadBalancerAddress(world, progress)
    const { replicas } = settings
    return { changed, detail: `${counted(replicas, 'replica')} on ${hostPort(world.gateway)}` }
  },
}

async function loadBalancerAddress(world: World, progress: (text: string) => void): Promise<Address> {
  const { host, settings, signal, timeoutMs } = world
  const address = (service: Service) =>
    gatewayAddress({ expose: settings.expose, nodePort: agentsPort, nodes: [], planeServer: '', service })
  const service = await waitFor<Service>(
    host,
    serviceRef(settings.namespace),
    service => (service && address(service) ? true : 'the load balancer has no address yet'),
    { timeoutMs, signal, onProgress: progress },
  )
  const found = address(service)
  if (!found)
    throw new UserError('the load balancer of anp-gateway has no address', {
      hint: 'name it with --address HOST[:PORT]',
    })
  return found
}
