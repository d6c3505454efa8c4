import { adminIdentity } from './certificates.ts'
import { createEtcdClient } from './client/gateway.ts'
import type { EtcdClient } from './client/types.ts'
import { type ClusterState, clientUrl } from './cluster.ts'
import { abandoned, contextsOf, withClusters } from './contexts.ts'
import { createDriver } from './drivers/create.ts'
import type { Driver } from './drivers/driver.ts'
import { stateFile } from './state.ts'
import type { Store } from './store/store.ts'
import type { EtcdWorld, Surroundings } from './world.ts'

/** Milliseconds that a member may take for one answer; a put that its leader died with is not answered for 7 s. */
const answerMs = 5000

export function createWorld(store: Store, state: ClusterState, surroundings: Surroundings): EtcdWorld {
  const { signal, timeoutMs } = surroundings
  const drivers = new Map<string, Driver>()
  const clients = new Map<string, EtcdClient>()
  const world: EtcdWorld = {
    state,
    store,
    async remember(next) {
      const [before, after] = [world.state, await withClusters(next, surroundings)]
      await store.write({ [stateFile]: `${JSON.stringify(after, undefined, 2)}\n` })
      world.state = after
      await store.leave?.(abandoned(before, after), contextsOf(after.spec))
    },
    driverOf: member => {
      const { name, imageRegistry } = world.state.spec
      const key = JSON.stringify([member.name, member.driver, imageRegistry])
      return kept(drivers, key, () => createDriver(name, member, { ...surroundings, imageRegistry }))
    },
    clientOf: member =>
      kept(clients, clientUrl(member, world.state.spec), () =>
        createEtcdClient(clientUrl(member, world.state.spec), () => adminIdentity(store), {
          timeoutMs: answerMs,
          signal,
        }),
      ),
    signal,
    timeoutMs,
    now: Date.now,
  }
  return world
}

function kept<T>(map: Map<string, T>, key: string, make: () => T): T {
  const value = map.get(key) ?? make()
  map.set(key, value)
  return value
}
