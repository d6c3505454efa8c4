export { createWorld, newState, readState } from './open.ts'
export { mergeSpec } from './up/plan.ts'
export { preflight } from './up/preflight.ts'
export { startGroups, verifyGroups } from './up/steps.ts'
