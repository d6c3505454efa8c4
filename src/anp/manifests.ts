import { createHash } from 'node:crypto'
import type { V1Container, V1PodTemplateSpec } from '@kubernetes/client-node'
import agentYaml from '../../manifests/anp/agent.yaml'
import gatewayYaml from '../../manifests/anp/gateway.yaml'
import serverYaml from '../../manifests/anp/server.yaml'
import { parseManifest } from '../kube/manifest.ts'
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

/** The objects of one manifest with the names filled in; words are replaced in parsed strings, so the YAML stays sound. */
export function loadManifest(name: keyof typeof texts, placeholders: Placeholders): KubeObject[] {
  const pattern = new RegExp(
    Object.keys(placeholders)
      .map(word => `\\b${word.replace('.', '\\.')}\\b`)
      .join('|'),
    'g',
  )
  const words = new Map(Object.entries(placeholders))
  const fill = (text: string) => text.replace(pattern, word => words.get(word) ?? word)
  return parseManifest(texts[name]).map(object => mapStrings(object, fill))
}

function mapStrings<T>(value: T, change: (text: string) => string): T {
  if (typeof value === 'string') return change(value) as T
  if (Array.isArray(value)) return value.map(item => mapStrings(item, change)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, change)])) as T
}

/** The one object of a kind; a manifest without it is a bug. */
export function pick<T extends KubeObject>(objects: KubeObject[], kind: string, name?: string): T {
  const found = objects.find(object => object.kind === kind && (name === undefined || object.metadata.name === name))
  if (!found) throw new Error(`manifest has no ${kind} ${name ?? ''}`)
  return found as T
}

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

/** `registry.k8s.io/a/b:v1@sha256:..` from another registry; tag and digest stay. */
export function rewriteImages(workload: Workload, registry: string | undefined): void {
  if (!registry) return
  for (const each of workload.spec.template.spec?.containers ?? []) {
    if (each.image) each.image = each.image.replace(/^[^/]+/, registry.replace(/\/+$/, ''))
  }
}

/** Twelve hex digits that change with the content. */
export const hash = (content: unknown): string =>
  createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 12)
