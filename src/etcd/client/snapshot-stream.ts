import type { Connection, Limits } from './connection.ts'
import { gatewaySnapshot } from './gateway-snapshot.ts'

/** The database as a member sends it, in whatever way it can be had. */
export const snapshotStream = (connection: Connection, limits: Limits): AsyncIterable<Uint8Array> =>
  gatewaySnapshot(connection, limits)
