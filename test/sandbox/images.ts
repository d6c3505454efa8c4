import { type ImageSpec, imageArchive } from '../../src/build/image/archive.ts'
import { lowerLayers, ownKey, ownSpec } from '../../src/build/image/own.ts'
import { imageSpecs } from '../setup/images.ts'
import type { Parts } from '../setup/prepare.ts'
import type { Report } from '../setup/report.ts'
import { loadImages } from './engine.ts'
import { type Machine, runIn } from './machine.ts'
import { planSandbox } from './plan.ts'
import { machineOf, type State, writeState } from './state.ts'

/** Brings the images of a sandbox's nodes in line with the manifests: one may have been pinned by another digest since. */
export async function renewImages(state: State, parts: Parts, report: Report): Promise<void> {
  if (state.images === parts.images) return
  const specs = await imageSpecs(parts.bin)
  await report.step('Images of running nodes', async () => {
    const { machines } = planSandbox(state.name, state.slot, state.shape)
    for (const name of Object.keys(state.daemons)) {
      if (machines.some(machine => machine.name === name)) await loadImages(state.name, name, parts.bin)
      else await renewOn(machineOf(state, name), specs)
    }
  })
  state.images = parts.images
  await writeState(state)
}

async function renewOn(machine: Machine, specs: ImageSpec[]): Promise<void> {
  const ctr = ['ctr', '--namespace', 'k8s.io', 'images']
  const present = new Set((await runIn(machine, [...ctr, 'ls', '-q'])).stdout.split('\n'))
  for (const spec of specs) {
    const missing = spec.references.filter(reference => !present.has(reference))
    const known = spec.references.find(reference => present.has(reference))
    if (known === undefined) await runIn(machine, [...ctr, 'import', '-'], { input: imageArchive(spec) })
    else for (const reference of missing) await runIn(machine, [...ctr, 'tag', known, reference])
  }
}

/** Gives the clusters' nodes the project's own image as the sources are now; what lies below our own layer they have already. */
export async function bringOwnImage(state: State, report: Report): Promise<void> {
  const { clusters } = planSandbox(state.name, state.slot, state.shape)
  if (clusters.length === 0) return
  const spec = await ownSpec()
  const key = ownKey(spec)
  const without = clusters.filter(({ name }) => state.own?.[name] !== key)
  if (without.length === 0) return
  await report.step('Own image', async () => {
    const ctr = ['ctr', '--namespace', 'k8s.io', 'images', 'import', '-']
    const input = () => imageArchive(spec, { known: lowerLayers })
    for (const { name } of without) await runIn(machineOf(state, name), ctr, { input: input() })
    return spec.references[0]
  })
  state.own = { ...state.own, ...Object.fromEntries(without.map(({ name }) => [name, key])) }
  await writeState(state)
}
