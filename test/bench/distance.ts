import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { dump, load } from 'js-yaml'

interface Kubeconfig {
  clusters: { cluster: { server: string; 'tls-server-name'?: string } }[]
}

/**
 * Writes a copy of a kubeconfig whose servers are `roundTripMs` away: forwarders on loopback, in a thread of their own, hold every
 * byte back for half of it, and the first of a connection for the round trip that TCP's handshake would take.
 * Answers how to end them.
 */
export async function putAfar(text: string, roundTripMs: number, copy: string): Promise<() => Promise<unknown>> {
  const kubeconfig = load(text) as Kubeconfig
  const servers = kubeconfig.clusters.map(({ cluster }) => new URL(cluster.server))
  const targets = servers.map(({ hostname, port }) => ({ host: hostname, port: Number(port) }))
  const worker = new Worker(new URL(import.meta.url), { workerData: { targets, roundTripMs } })
  const [ports] = (await once(worker, 'message')) as [number[]]
  for (const [index, { cluster }] of kubeconfig.clusters.entries()) {
    cluster['tls-server-name'] ??= servers[index]?.hostname ?? ''
    cluster.server = `https://127.0.0.1:${ports[index]}`
  }
  await writeFile(copy, dump(kubeconfig), { mode: 0o600 })
  return () => worker.terminate()
}

interface Work {
  targets: { host: string; port: number }[]
  roundTripMs: number
}

async function forward({ targets, roundTripMs }: Work): Promise<number[]> {
  const servers = targets.map(async target => {
    const server = createServer(near => {
      const far = connect(target)
      const opened = performance.now()
      pipeLate(near, far, () => Math.max(0, opened + roundTripMs - performance.now()) + roundTripMs / 2)
      pipeLate(far, near, () => roundTripMs / 2)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  })
  return Promise.all(servers)
}

function pipeLate(from: Socket, to: Socket, delayMs: () => number): void {
  from.setNoDelay(true)
  from.on('data', chunk => void pause(delayMs()).then(() => to.writable && to.write(chunk)))
  from.on('end', () => void pause(delayMs()).then(() => to.end()))
  from.on('error', () => to.destroy())
}

if (parentPort) parentPort.postMessage(await forward(workerData as Work))
