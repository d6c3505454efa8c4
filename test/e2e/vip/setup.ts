import { emptyShape } from '../../sandbox/plan.ts'
import { provideSandbox } from '../setup.ts'

/** A sandbox of its own: a virtual machine takes processor time even when nothing happens in it. */
export const setup = () => provideVmSandbox('e2e-vip')

/** Resolves with what removes it. */
export const provideVmSandbox = (name: string): Promise<() => Promise<void>> =>
  provideSandbox(name, {
    ...emptyShape,
    hosts: 1,
    karmada: false,
    apiServers: 3,
    vmNodes: 1,
    vip: '198.18.0.1',
  })
