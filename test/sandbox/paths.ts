import { join } from 'node:path'

/** Everything that sandboxes keep on disk. Root's own, away from the repository. */
export const stateRoot = '/var/lib/karmada-net-sandbox'
export const slotsDir: string = join(stateRoot, '.slots')
export const kernelFile: string = join(stateRoot, '.kernel.json')

export const sandboxDir = (name: string): string => join(stateRoot, name)
export const machineDir = (sandbox: string, machine: string): string => join(stateRoot, sandbox, 'machines', machine)
export const logFile = (sandbox: string, machine: string, component: string): string =>
  join(machineDir(sandbox, machine), 'log', `${component}.log`)

/** A Docker engine's socket, for clients outside of its machine. */
export const engineSocket = (sandbox: string, machine: string): string => join(sandboxDir(sandbox), `${machine}.sock`)

/** `hub`: without the members' contexts. */
export const kubeconfigFile = (sandbox: string, kind: 'all' | 'hub' = 'all'): string =>
  join(sandboxDir(sandbox), kind === 'all' ? 'kubeconfig' : 'kubeconfig-hub')

/** Inside a machine. */
export const inside = {
  bin: '/run/karmada-net/bin',
  crds: '/run/karmada-net/bin/crds.tar.gz',
  pki: '/etc/kubernetes/pki',
  adminConfig: '/etc/kubernetes/admin.conf',
  karmadaConfig: '/etc/karmada/karmada-apiserver.config',
  containerdSocket: '/run/containerd/containerd.sock',
}
