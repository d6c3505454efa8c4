import { UserError } from '../../../errors.ts'
import type { Docker } from './cli.ts'
import {
  generationLabel,
  labelFilters,
  labelFlags,
  type Names,
  restoredLabel,
  tokenLabel,
  whyForeign,
} from './names.ts'

export interface Volume {
  name: string
  /** Of those that we read. */
  labels: Record<string, string>
}

/** All volumes that have a name of ours, whoever made them. */
export async function listVolumes(docker: Docker, names: Names): Promise<Volume[]> {
  const keys = [...Object.keys(names.labels), generationLabel, tokenLabel, restoredLabel]
  const format = ['{{.Name}}', ...keys.map(key => `{{.Label "${key}"}}`)].join('\t')
  const text = await docker.run(['volume', 'ls', '--filter', `name=${names.container}-`, '--format', format])
  return text
    .split('\n')
    .filter(Boolean)
    .map(line => {
      const [name = '', ...values] = line.split('\t')
      return { name, labels: Object.fromEntries(keys.map((key, index) => [key, values[index] ?? ''])) }
    })
    .filter(({ name }) => name === names.pkiVolume || names.generationOf(name) !== undefined)
}

export const whyForeignVolume = ({ name, labels }: Volume, names: Names): string | undefined =>
  whyForeign(`volume "${name}"`, labels, names)

/** Finds or makes one. Throws UserError where the name is somebody else's. */
export async function ensureVolume(
  docker: Docker,
  names: Names,
  name: string,
  labels: Record<string, string> = {},
): Promise<Volume> {
  const known = (await listVolumes(docker, names)).find(volume => volume.name === name)
  const foreign = known && whyForeignVolume(known, names)
  if (foreign) {
    throw new UserError(`${docker.where}: ${foreign}`, {
      hint: `look into it; if nobody needs it: ${docker.command} volume rm ${name}`,
    })
  }
  if (known) return known
  const all = { ...names.labels, ...labels }
  await docker.run(['volume', 'create', ...labelFlags(all), name])
  return { name, labels: all }
}

/** Removes this member's volumes that `which` chooses. Answers how many. */
export async function removeVolumes(docker: Docker, names: Names, which: (volume: Volume) => boolean): Promise<number> {
  const ours = (await listVolumes(docker, names)).filter(volume => !whyForeignVolume(volume, names) && which(volume))
  if (ours.length > 0) await docker.run(['volume', 'rm', '--force', ...ours.map(({ name }) => name)])
  return ours.length
}

/** Ids of what carries all labels of this member. */
export const listOurs = async (docker: Docker, names: Names, kind: 'container' | 'image'): Promise<string[]> =>
  (await docker.run([kind, 'ls', '--all', '--quiet', ...labelFilters(names.labels)])).split('\n').filter(Boolean)
