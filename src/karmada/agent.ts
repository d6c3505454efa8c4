import type { V1Container, V1Deployment } from '@kubernetes/client-node'
import { UserError } from '../errors.ts'
import type { JsonPatchOperation, KubeClient, KubeObject, Wire } from '../kube/types.ts'

export type Deployment = Wire<V1Deployment> & KubeObject

type Container = Wire<V1Container>

/** karmada-agent's flags that say how the control plane reaches the member. */
export interface AgentFlags {
  '--cluster-api-endpoint': string | undefined
  '--proxy-server-address': string | undefined
}

/** karmada-agent's Deployment and where in it the program's words stand. */
export interface Agent {
  deployment: Deployment
  containerIndex: number
  clusterName: string | undefined
  flags: AgentFlags
}

/**
 * Finds karmada-agent among a member's Deployments, whatever installed it: by the program it runs, not by its name (helm uses the release's).
 * Throws `UserError` when there is none, or none for this cluster.
 */
export function findAgent(deployments: Deployment[], member: string): Agent {
  const agents = deployments.flatMap(deployment => asAgent(deployment) ?? [])
  const own = agents.filter(agent => agent.clusterName === member)
  if (own.length === 1 && own[0]) return own[0]
  if (own.length > 1) {
    throw new UserError(
      `${own.length} karmada-agents of ${member} say --cluster-name=${member}: ${own.map(place).join(', ')}`,
      {
        hint: 'delete the one that is left over, then run the same command again',
      },
    )
  }
  const other = agents[0]
  if (other) {
    throw new UserError(
      `${place(other)} in ${member} has --cluster-name=${other.clusterName ?? '(none)'}, not ${member}`,
      {
        hint: 'is this the cluster that was registered under that name? kubectl karmada-net contexts',
      },
    )
  }
  throw new UserError(`no karmada-agent Deployment in ${member}`, {
    hint: `register the cluster first: karmadactl register ... --cluster-name ${member}`,
  })
}

/** All Deployments of a member in which karmada-agent could be. */
export const listDeployments = (member: KubeClient): Promise<Deployment[]> =>
  member.list<Deployment>({ apiVersion: 'apps/v1', kind: 'Deployment' })

const place = ({ deployment }: Agent): string => `${deployment.metadata.namespace}/${deployment.metadata.name}`

function asAgent(deployment: Deployment): Agent | undefined {
  const containers = deployment.spec?.template.spec?.containers ?? []
  const containerIndex = containers.findIndex(runsAgent)
  const container = containers[containerIndex]
  if (!container) return undefined
  const words = [...(container.command ?? []), ...(container.args ?? [])]
  return {
    deployment,
    containerIndex,
    clusterName: readFlag(words, '--cluster-name'),
    flags: {
      '--cluster-api-endpoint': readFlag(words, '--cluster-api-endpoint'),
      '--proxy-server-address': readFlag(words, '--proxy-server-address'),
    },
  }
}

/** The program's own name decides; where the image's entrypoint starts it, the image's. */
function runsAgent({ command, image }: Container): boolean {
  const program = command?.[0]
  return program ? /(^|\/)karmada-agent$/.test(program) : /(^|\/)karmada-agent([:@]|$)/.test(image ?? '')
}

/** The value of `--flag=value` or `--flag value`; the last one counts, as it does for the program. */
export function readFlag(words: string[], flag: string): string | undefined {
  let value: string | undefined
  words.forEach((word, index) => {
    if (word === flag) value = words[index + 1] ?? ''
    else if (word.startsWith(`${flag}=`)) value = word.slice(flag.length + 1)
  })
  return value
}

/** Writes one flag in place, in the form it has; undefined takes it out. A flag given twice is left once. */
export function writeFlag(words: string[], flag: string, value: string | undefined): string[] {
  const result: string[] = []
  let written = value === undefined
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    const twoWords = word === flag
    if (!twoWords && !word.startsWith(`${flag}=`)) {
      result.push(word)
      continue
    }
    if (twoWords) index++
    if (written) continue
    result.push(...(twoWords ? [flag, value ?? ''] : [`${flag}=${value}`]))
    written = true
  }
  if (!written) result.push(`${flag}=${value}`)
  return result
}

/**
 * The patch that gives karmada-agent these flags; refused with 422 when anybody changed its command line since it was read
 * (not by a mere change of status, as the resourceVersion would).
 */
export function patchAgentFlags(
  { deployment, containerIndex }: Agent,
  flags: AgentFlags,
  annotations: Record<string, string | undefined>,
): JsonPatchOperation[] {
  const container = deployment.spec?.template.spec?.containers[containerIndex]
  const base = `/spec/template/spec/containers/${containerIndex}`
  const patch: JsonPatchOperation[] = [{ op: 'test', path: `${base}/name`, value: container?.name }]
  // A flag may stand in `command` or in `args`; a new one goes where the flags are.
  const home = container?.args?.length ? 'args' : 'command'
  for (const field of ['command', 'args'] as const) {
    const words = container?.[field]
    const wanted = Object.entries(flags).reduce((list, [flag, value]) => {
      const stands = readFlag(list, flag) !== undefined
      const isNew = field === home && value !== undefined && !standsElsewhere(container, field, flag)
      return stands || isNew ? writeFlag(list, flag, value) : list
    }, words ?? [])
    if (wanted.join('\0') === (words ?? []).join('\0')) continue
    if (words) patch.push({ op: 'test', path: `${base}/${field}`, value: words })
    patch.push({ op: words ? 'replace' : 'add', path: `${base}/${field}`, value: wanted })
  }
  return [...patch, ...patchAnnotations(deployment, annotations)]
}

function standsElsewhere(container: Container | undefined, field: 'command' | 'args', flag: string): boolean {
  const other = field === 'command' ? container?.args : container?.command
  return readFlag(other ?? [], flag) !== undefined
}

/** JSON patch operations that set (or, with undefined, take away) annotations. */
export function patchAnnotations(
  object: KubeObject,
  annotations: Record<string, string | undefined>,
): JsonPatchOperation[] {
  const present = object.metadata.annotations
  const operations: JsonPatchOperation[] = []
  if (!present && Object.values(annotations).some(value => value !== undefined)) {
    operations.push({ op: 'add', path: '/metadata/annotations', value: {} })
  }
  for (const [key, value] of Object.entries(annotations)) {
    const path = `/metadata/annotations/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (value !== undefined) operations.push({ op: 'add', path, value })
    else if (present?.[key] !== undefined) operations.push({ op: 'remove', path })
  }
  return operations
}
