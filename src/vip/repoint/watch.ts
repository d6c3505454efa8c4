import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../../errors.ts'
import { findKubelets, type Kubelet } from './process.ts'

/** Open from the moment when a new kubelet runs: the pod becomes ready by the new one's word alone. */
const readyPort = 9820
/** Between the last moment to become ready and putting back: for who sees it to say that it is well. Milliseconds. */
const answerMs = 20_000
/** Units wait before they start again, kubeadm's for ten seconds. Milliseconds. */
const startMs = 60_000

export interface Watched {
  kubelet: Kubelet
  /** For the new kubelet to reach its API server, and for it to be told so. */
  patienceMs: number
  make(): void
  unmake(): void
}

/** Changes what kubelet reads, restarts it, and puts all back where nobody ends this process in time. Throws `UserError`; never returns well. */
export async function underWatch({ kubelet, patienceMs, make, unmake }: Watched): Promise<never> {
  make()
  let why = `kubelet did not become ready by it within ${Math.round(patienceMs / 1000)}s`
  let now: Kubelet | undefined
  try {
    now = await restart(kubelet)
    const server = createServer(socket => socket.destroy()).listen(readyPort)
    await sleep(patienceMs - answerMs)
    server.close()
    await sleep(answerMs)
  } catch (error) {
    why = error instanceof Error ? error.message : String(error)
  }
  unmake()
  if (now) await restart(now)
  throw new UserError(`${why}: its kubeconfig is as it was`)
}

/**
 * Ends the kubelet and waits for the next. By SIGKILL: a unit with `Restart=on-failure`, too, starts it again after that, and its pods do
 * not notice either way.
 */
async function restart({ pid }: Kubelet): Promise<Kubelet> {
  process.kill(pid, 'SIGKILL')
  const end = performance.now() + startMs
  while (performance.now() < end) {
    const next = findKubelets().find(one => one.pid !== pid)
    if (next) return next
    await sleep(200)
  }
  throw new UserError(`nothing started kubelet again within ${startMs / 1000}s (systemctl start kubelet)`)
}
