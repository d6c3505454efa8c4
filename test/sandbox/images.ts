import { type ImageSpec, imageArchive } from '../../src/build/image/archive.ts'
import { lowerLayers, ownKey, ownSpec } from '../../src/build/image/own.ts'
import { imageSpecs } from '../setup/images.ts'
import type { Parts } from '../setup/prepare.ts'
import type { Report } from '../setup/report.ts'
import type { RunResult } from '../setup/run.ts'
import { runInVm } from '../vm/exec.ts'
import { loadImages } from './engine.ts'
import { runIn } from './machine.ts'
import { planSandbox } from './plan.ts'
import { machineOf, type State, writeState } from './state.ts'
import { vmFolder } from './vm.ts'
import { isForVmNodes } from './vm-disk.ts'

/** Brings the images of a sandbox's nodes in line with the manifests: one may have been pinned by another digest since. */
export async function renewImages(state: State, parts: Parts, report: Report): Promise<void> {
  if (state.images === parts.images) return
  const specs = await imageSpecs(parts.bin)
  await report.step('Images of running nodes', async () => {
    const { clusters, machines, vms } = planSandbox(state.name, state.slot, state.shape)
    const there = ({ name }: { name: string }) => state.daemons[name] !== undefined
    for (const { name } of machines.filter(there)) await loadImages(state.name, name, parts.bin)
    for (const { name } of clusters.filter(there))
      await renewOn((command, input) => runIn(machineOf(state, name), command, { input }), specs)
    for (const { name } of vms.filter(there))
      await renewOn(
        (command, input) => runInVm(vmFolder(state.name, name), name, command, { input }),
        specs.filter(isForVmNodes),
      )
  })
  state.images = parts.images
  await writeState(state)
}

type Execute = (command: string[], input?: AsyncIterable<Buffer>) => Promise<RunResult>

async function renewOn(execute: Execute, specs: ImageSpec[]): Promise<void> {
  const ctr = ['ctr', '--namespace', 'k8s.io', 'images']
  const present = new Set((await execute([...ctr, 'ls', '-q'])).stdout.split('\n'))
  for (const spec of specs) {
    const missing = spec.references.filter(reference => !present.has(reference))
    const known = spec.references.find(reference => present.has(reference))
    if (known === undefined) await execute([...ctr, 'import', '-'], imageArchive(spec))
    else for (const reference of missing) await execute([...ctr, 'tag', known, reference])
  }
}

/** A node that was made before the lower layers changed lacks these. */
async function bring(spec: ImageSpec, execute: Execute): Promise<void> {
  const ctr = ['ctr', '--namespace', 'k8s.io', 'images', 'import', '-']
  await execute(ctr, imageArchive(spec, { known: lowerLayers })).catch(() => execute(ctr, imageArchive(spec)))
}

/** Gives every node the project's own image as the sources are now; what lies below our own layer they have already. */
export async function bringOwnImage(state: State, report: Report): Promise<void> {
  const { clusters, vms } = planSandbox(state.name, state.slot, state.shape)
  if (clusters.length === 0) return
  const spec = await ownSpec()
  const key = ownKey(spec)
  const without = <T extends { name: string }>(nodes: T[]) => nodes.filter(({ name }) => state.own?.[name] !== key)
  const [inNamespaces, inVms] = [without(clusters), without(vms)]
  if (inNamespaces.length + inVms.length === 0) return
  await report.step('Own image', async () => {
    for (const { name } of inNamespaces)
      await bring(spec, (command, input) => runIn(machineOf(state, name), command, { input }))
    for (const { name } of inVms) {
      const execute = (command: string[], input?: AsyncIterable<Buffer>) =>
        runInVm(vmFolder(state.name, name), name, command, { input })
      await bring(spec, execute)
      // Its power may be cut, and containerd does not wait for the disk.
      await execute(['sync'])
    }
    return spec.references[0]
  })
  const names = [...inNamespaces, ...inVms].map(({ name }) => name)
  state.own = { ...state.own, ...Object.fromEntries(names.map(name => [name, key])) }
  await writeState(state)
}
