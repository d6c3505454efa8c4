import { createHash } from 'node:crypto'
import type { V1Container, V1PodTemplateSpec } from '@kubernetes/client-node'
import agentYaml from '../../manifests/anp/agent.yaml'
import gatewayYaml from '../../manifests/anp/gateway.yaml'
import serverYaml from '../../manifests/anp/server.yaml'
import { fromRegistry } from '../images.ts'
import { fillManifest } from '../kube/manifest.ts'
import type { KubeObject, Wire } from '../kube/types.ts'

const texts = { gateway: gatewayYaml, server: serverYaml, agent: agentYaml }

type PodTemplate = Wire<V1PodTemplateSpec>
export type Container = Wire<V1Container>

/** What the manifests are written for, and what takes its place. */
export interface Placeholders {
  member1?: string
  'karmada-system': string
  'cluster.local'?: string
}

export const loadManifest = (name: keyof typeof texts, placeholders: Placeholders): KubeObject[] =>
  fillManifest(texts[name], { ...placeholders })

export interface Workload extends KubeObject {
  spec: { replicas?: number; strategy?: object; template: PodTemplate }
}

export function container(workload: Workload, name: string): Container {
  const found = workload.spec.template.spec?.containers.find(candidate => candidate.name === name)
  if (!found) throw new Error(`manifest of ${workload.metadata.name} has no container ${name}`)
  return found
}

/** Gives `--flag` its value in a container's args; the flag must stand there, so that the manifest shows all of them. */
export function setArg(target: Container, flag: string, value: string | number): void {
  const index = target.args?.findIndex(arg => arg.startsWith(`${flag}=`)) ?? -1
  if (!target.args || index < 0) throw new Error(`manifest lacks ${flag}`)
  target.args[index] = `${flag}=${value}`
}

export function annotatePods(workload: Workload, annotations: Record<string, string>): void {
  const { template } = workload.spec
  template.metadata = { ...template.metadata, annotations: { ...template.metadata?.annotations, ...annotations } }
}

/** Takes a workload's images from another registry. */
export function rewriteImages(workload: Workload, registry: string | undefined): void {
  if (!registry) return
  for (const each of workload.spec.template.spec?.containers ?? []) {
    if (each.image) each.image = fromRegistry(each.image, registry)
  }
}

/** Twelve hex digits that change with the content. */
export const hash = (content: unknown): string =>
  createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 12)
