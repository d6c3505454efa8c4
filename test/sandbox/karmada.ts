import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { versions } from '../setup/components.ts'
import { imageNames } from '../setup/images.ts'
import { CommandError, type RunResult } from '../setup/run.ts'
import { get, hasCondition, isRolledOut, until, type WithConditions } from './api.ts'
import { type Access, accessOf, kubeconfig } from './kubeconfig.ts'
import { fileIn, type Machine, runIn } from './machine.ts'
import { inside, logFile } from './paths.ts'
import { type ClusterPlan, karmadaPort } from './plan.ts'

/** Installs Karmada by `karmadactl init` into the host cluster of the machine. Returns the administrator's access. */
export async function installKarmada(plan: ClusterPlan, machine: Machine, host: Access): Promise<Access> {
  await logged(machine, 'karmadactl-init', [
    ...['karmadactl', 'init', `--kubeconfig=${inside.adminConfig}`, `--crds=${inside.crds}`],
    `--karmada-apiserver-advertise-address=${plan.address}`,
    `--port=${karmadaPort}`,
    `--kube-image-tag=${versions.kubernetes}`,
    `--etcd-image=${imageNames.etcd}`,
    '--wait-component-ready-timeout=180',
  ])
  // It ends with success even when a part of it never got ready.
  const { items } = await get<{ items: (WithConditions & { metadata: { name: string } })[] }>(
    host,
    '/apis/apps/v1/namespaces/karmada-system/deployments',
  )
  const late = items.filter(item => !isRolledOut(item)).map(item => item.metadata.name)
  if (late.length > 0) throw new Error(`karmadactl init left these not ready: ${late.join(', ')}`)
  return karmadaAccess(machine)
}

const karmadaAccess = async (machine: Machine): Promise<Access> =>
  accessOf(await readFile(fileIn(machine, inside.karmadaConfig), 'utf8'))

/** Registers a pull member by `karmadactl register`, run on the member's side with a token made on the host. */
export async function registerMember(plan: ClusterPlan, member: Machine, host: Machine): Promise<void> {
  const { stdout } = await runIn(host, [
    ...['karmadactl', 'token', 'create', '--print-register-command', `--kubeconfig=${inside.karmadaConfig}`],
  ])
  const [, , ...flags] = stdout.trim().split(/\s+/)
  await logged(member, 'karmadactl-register', [
    ...['karmadactl', 'register', ...flags, `--kubeconfig=${inside.adminConfig}`, `--cluster-name=${plan.name}`],
  ])
}

/** Joins a push member by `karmadactl join`, run on the host's side. */
export async function joinMember(plan: ClusterPlan, access: Access, host: Machine): Promise<void> {
  const file = `/etc/karmada-net/${plan.name}.conf`
  await mkdir(dirname(fileIn(host, file)), { recursive: true, mode: 0o700 })
  await writeFile(fileIn(host, file), kubeconfig({ [plan.name]: access }), { mode: 0o600 })
  await logged(host, `karmadactl-join-${plan.name}`, [
    ...['karmadactl', 'join', plan.name, `--kubeconfig=${inside.karmadaConfig}`, `--cluster-kubeconfig=${file}`],
  ])
}

export const waitForMember = (karmada: Access, name: string): Promise<void> =>
  until(`member ${name} in Karmada`, 120, async () =>
    hasCondition(await get(karmada, `/apis/cluster.karmada.io/v1alpha1/clusters/${name}`), 'Ready'),
  )

/** What it says goes to a log of the machine, also when it fails. */
async function logged(machine: Machine, component: string, command: string[]): Promise<void> {
  const log = logFile(machine.sandbox, machine.name, component)
  const write = ({ stdout, stderr }: RunResult) => writeFile(log, stdout + stderr, { mode: 0o600 })
  try {
    await write(await runIn(machine, command))
  } catch (error) {
    if (error instanceof CommandError) await write(error.result)
    throw error
  }
}
