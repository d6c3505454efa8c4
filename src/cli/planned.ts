import type { KubeObject } from '../kube/types.ts'
import type { PlannedObject } from '../steps/step.ts'
import type { Output } from './flags.ts'
import { printData, toYaml } from './print.ts'
import type { Session } from './session.ts'

/** Prints what a dry run on the client would send, in apply order, each object under a comment that says where it goes. */
export async function printPlanned(
  session: Session,
  planned: readonly PlannedObject[],
  output: Output | undefined,
  options: { showSecrets?: boolean | undefined } = {},
): Promise<void> {
  const shown = planned.map(({ where, object }) => ({ where, object: options.showSecrets ? object : masked(object) }))
  if (output === 'json') {
    return printData(session, { apiVersion: 'v1', kind: 'List', items: shown.map(({ object }) => object) }, 'json')
  }
  if (output === 'yaml') {
    const documents = await Promise.all(shown.map(async ({ where, object }) => `# ${where}\n${await toYaml(object)}`))
    session.io.stdout.write(documents.join('---\n'))
    return
  }
  if (output === 'name') return shown.forEach(({ object }) => void session.out(typedName(object)))
  let last: string | undefined
  for (const { where, object } of shown) {
    if (where !== last) session.out(`# ${where}`)
    session.out(`${typedName(object)} (dry run)`)
    last = where
  }
}

/** kubectl's `kind.group/name`. */
export function typedName({ apiVersion, kind, metadata }: KubeObject): string {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  return `${kind.toLowerCase()}${group ? `.${group}` : ''}/${metadata.name}`
}

/** A copy in which no Secret shows its values, however deep it is packed (a Work carries manifests). */
export function masked<T>(value: T): T {
  if (Array.isArray(value)) return value.map(masked) as T
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  const secret = 'kind' in value && value.kind === 'Secret'
  return Object.fromEntries(
    entries.map(([key, inner]) =>
      secret && (key === 'data' || key === 'stringData') ? [key, hideValues(inner)] : [key, masked(inner)],
    ),
  ) as T
}

const hideValues = (data: unknown) =>
  typeof data === 'object' && data !== null ? Object.fromEntries(Object.keys(data).map(key => [key, '***'])) : data
