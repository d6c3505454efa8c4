import type { Connection, Limits } from './connection.ts'
import { gatewaySnapshot } from './gateway-snapshot.ts'
import { grpcSnapshot, NoGrpcError } from './grpc-snapshot.ts'

/** The database as a member sends it: over gRPC, or over the JSON gateway where gRPC does not come through. */
export async function* snapshotStream(connection: Connection, limits: Limits): AsyncGenerator<Uint8Array> {
  try {
    yield* grpcSnapshot(connection, limits)
  } catch (error) {
    if (!(error instanceof NoGrpcError)) throw error
    yield* gatewaySnapshot(connection, limits)
  }
}
