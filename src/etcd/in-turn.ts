import { pause } from '../kube/pause.ts'
import { adminIdentity } from './certificates.ts'
import { createEtcdClient } from './client/gateway.ts'
import { type MemberSpec, peerUrl } from './cluster.ts'
import type { EtcdWorld } from './world.ts'

const patienceMs = 10_000
const everyMs = 50

/** Starts a member once the one before serves its peers. `start` answers whether it started one. */
export type Turn = (world: EtcdWorld, member: MemberSpec, start: () => Promise<boolean>) => Promise<boolean>

/**
 * Before it serves anybody an etcd compares its data with its peers', and waits 7 s for one that is doing just that: all at once, members
 * with data were seen to take up to 14 s. So one after the other; whoever did not start is not waited for.
 */
export function inTurn(): Turn {
  let last = Promise.resolve(async () => {})
  return async (world, member, start) => {
    const before = last
    const { promise, resolve } = Promise.withResolvers<() => Promise<void>>()
    last = promise
    let started = false
    try {
      await (await before)()
      started = await start()
      return started
    } finally {
      resolve(started ? () => servesPeers(world, member) : async () => {})
    }
  }
}

/** Where it takes longer the next one starts all the same, because none is ready before there is a quorum. */
export async function servesPeers(world: EtcdWorld, member: MemberSpec): Promise<void> {
  const end = performance.now() + patienceMs
  const peer = createEtcdClient(peerUrl(member, world.state.spec), () => adminIdentity(world.store), {
    timeoutMs: 1000,
  })
  try {
    while (performance.now() < end) {
      // It takes connections, and even ends their handshakes, long before it answers anything.
      const answered = await peer.versions({ signal: world.signal }).catch(() => undefined)
      if (answered) return
      await pause(everyMs, world.signal)
    }
  } finally {
    peer.close()
  }
}
