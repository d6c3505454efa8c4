import type { Connection, Limits } from './connection.ts'
import { gatewaySnapshot } from './gateway-snapshot.ts'
import { grpcSnapshot, NoGrpcError } from './grpc-snapshot.ts'

/**
 * The database as a member sends it: over gRPC, or over the JSON gateway where gRPC does not come through. No generator around the
 * other two: each one costs several promises for every chunk.
 */
export function snapshotStream(connection: Connection, limits: Limits): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      let chosen = grpcSnapshot(connection, limits)
      return {
        next: () =>
          chosen.next().catch((error: unknown) => {
            // It is thrown before the first byte only.
            if (!(error instanceof NoGrpcError)) throw error
            chosen = gatewaySnapshot(connection, limits)
            return chosen.next()
          }),
        return: () => chosen.return(undefined),
      }
    },
  }
}
