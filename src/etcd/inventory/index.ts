export { parseInventory, toInventory } from './document.ts'
export { memberFromFlag } from './flag.ts'
export { objections } from './objections.ts'
export { specFrom } from './spec.ts'
