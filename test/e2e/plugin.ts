import { join } from 'node:path'
import { env } from 'node:process'
import type { KubeObject } from '../../src/kube/types.ts'
import { openSandbox, type Sandbox } from '../sandbox/index.ts'
import type { RunResult } from '../setup/run.ts'

export interface World {
  sandbox: Sandbox
  /** `kubectl karmada-net ...` with every context; `hub` leaves only hosts and Karmada in the kubeconfig. */
  karmadaNet(
    words: string,
    options?: { kubeconfig?: string; hub?: boolean; timeoutMs?: number; signal?: AbortSignal },
  ): Promise<RunResult>
  /** `kubectl --context CONTEXT ...`; throws when it fails. */
  kubectl(context: string, words: string, input?: string | object): Promise<string>
  /** One object as JSON. */
  read<T extends KubeObject>(context: string, words: string): Promise<T>
}

export async function openWorld(): Promise<World> {
  const sandbox = await openSandbox()
  const path = `${join(sandbox.dir, 'plugin')}:${sandbox.bin}:${env['PATH']}`
  const world: World = {
    sandbox,
    karmadaNet(words, { kubeconfig, hub = false, timeoutMs = 180_000, signal } = {}) {
      const KUBECONFIG = kubeconfig ?? (hub ? sandbox.hubKubeconfig : sandbox.kubeconfig)
      return sandbox.attempt(['kubectl', 'karmada-net', ...split(words)], {
        env: { PATH: path, KUBECONFIG },
        timeoutMs,
        signal,
      })
    },
    async kubectl(context, words, input) {
      const text = typeof input === 'object' ? JSON.stringify(input) : input
      const { stdout } = await sandbox.exec(['kubectl', '--context', context, ...split(words)], { input: text })
      return stdout
    },
    read: async (context, words) => JSON.parse(await world.kubectl(context, `get ${words} -o json`)),
  }
  return world
}

const split = (words: string): string[] => words.split(' ')
