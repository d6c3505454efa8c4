import { emptyShape } from '../../sandbox/plan.ts'
import { provideSandbox } from '../setup.ts'

/** Machines alone: clusters beside them would take half of a small computer. */
export const setup = () => provideSandbox('e2e-etcd', { ...emptyShape, machines: 5 })
