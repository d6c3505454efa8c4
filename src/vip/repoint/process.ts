import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** A kubelet as it runs. */
export interface Kubelet {
  pid: number
  /** Of `--kubeconfig`. */
  kubeconfig: string
  startedMs: number
}

/** The kernel counts in these, whatever it runs on. Per second. */
const ticks = 100

/** The node's kubelet, where this process sees the node's own; none where it has no API server, several where nodes share a kernel. */
export function findKubelets(proc = '/proc'): Kubelet[] {
  const boot = readText(`${proc}/stat`)
  return readdirSync(proc).flatMap(entry => {
    if (!/^\d+$/.test(entry)) return []
    const kubeconfig = kubeconfigOf(readText(`${proc}/${entry}/cmdline`).split('\0'))
    if (kubeconfig === undefined) return []
    const startedMs = startOf(readText(`${proc}/${entry}/stat`), boot)
    return startedMs === undefined ? [] : [{ pid: Number(entry), kubeconfig, startedMs }]
  })
}

/** Pure. */
export function kubeconfigOf([program = '', ...words]: readonly string[]): string | undefined {
  if (basename(program) !== 'kubelet') return undefined
  const at = words.findLastIndex(word => /^--?kubeconfig(=|$)/.test(word))
  const [, value] = /=(.*)$/s.exec(words[at] ?? '') ?? []
  return (at === -1 ? undefined : (value ?? words[at + 1])) || undefined
}

/** By the texts of /proc/PID/stat and /proc/stat: when a process began, in milliseconds. Undefined: it is gone. Pure. */
export function startOf(stat: string, boot: string): number | undefined {
  // What is in brackets is its name, in which anything may be.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [, bootSeconds] = /^btime (\d+)$/m.exec(boot) ?? []
  const started = Number(fields[19])
  return bootSeconds === undefined || !started ? undefined : Number(bootSeconds) * 1000 + (started / ticks) * 1000
}

/** Empty where there is none (any more). */
function readText(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
