import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import process, { argv, stderr, stdin, stdout } from 'node:process'
import { UserError } from '../../src/errors.ts'
import { createReport } from '../setup/report.ts'
import { attemptInVm, runInVm } from '../vm/exec.ts'
import { consoleLog } from '../vm/qemu.ts'
import { parseRequest, type Request, usage } from './args.ts'
import { down } from './down.ts'
import { belong, enter } from './machine.ts'
import { inside, kubeconfigFile, logFile, machineDir, sandboxDir } from './paths.ts'
import { planSandbox } from './plan.ts'
import { machineOf, readState, type State, sandboxNames } from './state.ts'
import { statusTable } from './status.ts'
import { up } from './up.ts'
import { vmFolder } from './vm.ts'

async function main(request: Request): Promise<number> {
  switch (request.verb) {
    case 'help':
      stdout.write(usage)
      return 0
    case 'up': {
      const report = createReport()
      const outcome = await up(request.name, request.shape, report).catch((error: Error) => {
        throw new UserError(error.message, {
          hint: `what it left: ${sandboxDir(request.name)}/machines/*/log; "up" again makes it anew, "down" removes it`,
        })
      })
      const name = request.name === 'default' ? '' : ` --name ${request.name}`
      const ready = outcome === 'unchanged' ? 'is up already' : `is ready (${report.elapsed().toFixed(0)}s)`
      report.say(`${outcome === 'unchanged' ? '' : '\n'}Sandbox ${request.name} ${ready}.
  export KUBECONFIG=${kubeconfigFile(request.name)}
  npm run sandbox -- status${name}
  npm run sandbox -- shell ${request.shape.hosts > 0 ? 'host' : 'etcd1'}${name}
  npm run sandbox -- down${name}`)
      return 0
    }
    case 'down': {
      const report = createReport()
      const names = request.names === 'all' ? await sandboxNames() : request.names
      for (const name of names)
        await report.step(`Sandbox ${name} removed`, async () => `${await down(name)} processes ended`)
      return 0
    }
    case 'status': {
      const names = request.name ? [request.name] : await sandboxNames()
      if (names.length === 0) stdout.write('No sandbox: npm run sandbox -- up\n')
      for (const name of names) stdout.write(`${names.length > 1 ? `Sandbox ${name}\n` : ''}${await statusTable(name)}`)
      return 0
    }
    case 'kubeconfig':
      await existing(request.name)
      stdout.write(`${kubeconfigFile(request.name, request.hub ? 'hub' : 'all')}\n`)
      return 0
    case 'shell':
      return shell(await existing(request.name), request.machine, request.command)
    case 'logs':
      return logs(await existing(request.name), request)
  }
}

async function existing(name: string): Promise<State> {
  const state = await readState(name)
  if (state) return state
  throw new UserError(`no sandbox "${name}"`, {
    hint: `npm run sandbox -- up${name === 'default' ? '' : ` --name ${name}`}`,
  })
}

async function shell(state: State, name: string, command: string[]): Promise<number> {
  if (isVm(state, name)) return shellInVm(vmFolder(state.name, name), command)
  const plane = name.startsWith('karmada')
  const machine = machineOf(state, plane ? name.replace('karmada', 'host') : name)
  const config = plane ? inside.karmadaConfig : inside.adminConfig
  const isNetwork = !state.daemons[machine.name]
  const into = isNetwork
    ? ['nsenter', `--target=${machine.holder.pid}`, '--net', '--']
    : [...enter(machine), `KUBECONFIG=${config}`]
  return foreground([...(await belong(state.name)), ...into, ...(command.length > 0 ? command : ['bash'])])
}

const isVm = ({ name, slot, shape }: State, machine: string): boolean =>
  planSandbox(name, slot, shape).vms.some(vm => vm.name === machine)

/** A command with this process's input and output, or a shell on a terminal as large as this one. */
async function shellInVm(folder: string, command: string[]): Promise<number> {
  const terminal = stdin.isTTY && stdout.isTTY ? { rows: stdout.rows, columns: stdout.columns } : undefined
  if (terminal) stdin.setRawMode(true)
  try {
    const env = { TERM: process.env['TERM'] ?? 'linux' }
    const options = { input: stdin, inherit: true, terminal, env }
    return (await attemptInVm(folder, command.length > 0 ? command : ['bash'], options)).code
  } finally {
    if (terminal) stdin.setRawMode(false)
    stdin.destroy()
  }
}

/** What its units said is on its own disk; what is said of it from outside, in its folder. */
async function vmLogs({ name: sandbox }: State, { machine, component, follow }: LogsRequest): Promise<number> {
  const folder = vmFolder(sandbox, machine)
  const outside: Record<string, string> = { console: consoleLog(folder), qemu: logFile(sandbox, machine, 'qemu') }
  const file = outside[component ?? '']
  const tail = ['tail', '-n', '+1', ...(follow ? ['-F'] : [])]
  if (file) return foreground([...tail, file])
  const { stdout: found } = await runInVm(folder, machine, ['sh', '-c', 'cd /var/log && ls *.log'])
  const components = [
    ...Object.keys(outside),
    ...found
      .split('\n')
      .filter(Boolean)
      .map(name => name.slice(0, -4)),
  ]
  if (!component) {
    stdout.write(`${components.join('\n')}\n`)
    return 0
  }
  if (!components.includes(component)) throw noComponent(component, machine, components)
  return (await attemptInVm(folder, [...tail, `/var/log/${component}.log`], { inherit: true })).code
}

type LogsRequest = Extract<Request, { verb: 'logs' }>

const noComponent = (component: string, machine: string, components: string[]): UserError =>
  new UserError(`no component "${component}" on ${machine}`, { hint: `there are: ${components.join(', ')}` })

async function logs(state: State, request: LogsRequest): Promise<number> {
  if (isVm(state, request.machine)) return vmLogs(state, request)
  machineOf(state, request.machine)
  const folder = join(machineDir(state.name, request.machine), 'log')
  const components = (await readdir(folder)).filter(file => file.endsWith('.log')).map(file => file.slice(0, -4))
  if (!request.component) {
    stdout.write(`${components.join('\n')}\n`)
    return 0
  }
  if (!components.includes(request.component)) throw noComponent(request.component, request.machine, components)
  const file = join(folder, `${request.component}.log`)
  return foreground(['tail', '-n', '+1', ...(request.follow ? ['-F'] : []), file])
}

/** Runs a program on this terminal; an interrupt is the program's. */
function foreground([program = '', ...args]: string[]): Promise<number> {
  process.on('SIGINT', () => {})
  const child = spawn(program, args, { stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? (signal ? 130 : 1)))
  })
}

try {
  process.exitCode = await main(parseRequest(argv.slice(2)))
} catch (error) {
  const { message } = error instanceof Error ? error : new Error(String(error))
  stderr.write(`error: ${message}\n`)
  if (error instanceof UserError && error.hint) stderr.write(`hint: ${error.hint}\n`)
  process.exitCode = 1
}
