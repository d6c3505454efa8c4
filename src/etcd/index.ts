export { createWorld } from './open.ts'
export { newState, readState } from './state.ts'
export { mergeSpec } from './up/plan.ts'
export { startGroups, verifyGroups } from './up/steps.ts'
