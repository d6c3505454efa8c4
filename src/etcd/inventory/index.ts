export { parseInventory, toInventory } from './document.ts'
export { memberFromFlag } from './flag.ts'
export { objections } from './objections.ts'
export { defaultBackup, specFrom } from './spec.ts'
