/** What commands use of this domain. */
export { parseAddress } from './address.ts'
export { connectGroup } from './connect.ts'
export { disconnectGroup, gatewayGoneStep } from './disconnect.ts'
export { gatewayStep } from './gateway.ts'
export { openWorld } from './open.ts'
export { preflight, preflightStep } from './prepare.ts'
export { tunnelStatus } from './status.ts'
