import { type ImageSpec, imageArchive } from '../setup/archive.ts'
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
