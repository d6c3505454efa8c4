import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { env } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
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
  /** Runs the plugin and acts once, as soon as what it has said on either stream fits. */
  runUntil(
    words: string,
    pattern: RegExp,
    act: (running: { pid: number; stdout: string }) => unknown,
  ): Promise<RunResult>
  /** `kubectl --context CONTEXT ...`; throws when it fails. */
  kubectl(context: string, words: string, input?: string | object): Promise<string>
  /** One object as JSON. */
  read<T extends KubeObject>(context: string, words: string): Promise<T>
}

/** `more`: variables of the plugin's environment; its PATH is what comes first. */
export async function openWorld({ PATH: first, ...more }: Record<string, string> = {}): Promise<World> {
  const sandbox = await openSandbox()
  const path = [first, join(sandbox.dir, 'plugin'), sandbox.bin, env['PATH']].filter(Boolean).join(':')
  const world: World = {
    sandbox,
    karmadaNet(words, { kubeconfig, hub = false, timeoutMs = 180_000, signal } = {}) {
      const KUBECONFIG = kubeconfig ?? (hub ? sandbox.hubKubeconfig : sandbox.kubeconfig)
      return sandbox.attempt(['kubectl', 'karmada-net', ...split(words)], {
        env: { PATH: path, KUBECONFIG, ...more },
        timeoutMs,
        signal,
      })
    },
    runUntil(words, pattern, act) {
      const program = join(sandbox.dir, 'plugin/kubectl-karmada_net')
      const child = spawn(program, split(words), {
        env: { ...env, PATH: path, KUBECONFIG: sandbox.kubeconfig, ...more },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const said = { stdout: '', stderr: '' }
      let acted = false
      for (const stream of ['stdout', 'stderr'] as const) {
        child[stream].on('data', chunk => {
          said[stream] += chunk
          if (acted || !pattern.test(said[stream])) return
          acted = true
          act({ pid: child.pid ?? 0, stdout: said.stdout })
        })
      }
      return new Promise((resolve, reject) => {
        child.once('error', reject)
        child.once('close', (code, signal) => resolve({ code: code ?? (signal ? 137 : 1), ...said }))
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

/** Asks again for as long as a healthy system may need. */
export async function eventually(seconds: number, check: () => Promise<void>): Promise<void> {
  const end = performance.now() + seconds * 1000
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > end) throw error
      await sleep(500)
    }
  }
}
