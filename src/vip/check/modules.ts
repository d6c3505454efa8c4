/** `loaded` counts also what is built into the kernel. `unknown`: the node has no list of its kernel's modules. */
export type ModuleState = 'loaded' | 'loadable' | 'missing' | 'unknown'

export interface ModuleTexts {
  /** /proc/modules */
  loaded: string
  /** modules.builtin and modules.dep of the running kernel; undefined where there is none. */
  builtin: string | undefined
  dep: string | undefined
}

/** As modprobe would find them. Pure. */
export function moduleStates<Name extends string>(
  names: readonly Name[],
  { loaded, builtin, dep }: ModuleTexts,
): Record<Name, ModuleState> {
  const there = new Set([
    ...lines(loaded).map(line => plain(line.split(' ')[0] ?? '')),
    ...lines(builtin ?? '').map(nameOf),
  ])
  const loadable = new Set(lines(dep ?? '').map(line => nameOf(line.split(':')[0] ?? '')))
  const state = (name: string): ModuleState => {
    if (there.has(name)) return 'loaded'
    if (loadable.has(name)) return 'loadable'
    return dep === undefined ? 'unknown' : 'missing'
  }
  return Object.fromEntries(names.map(name => [name, state(name)])) as Record<Name, ModuleState>
}

/** `kernel/net/netfilter/ipvs/ip_vs.ko.zst` is `ip_vs`. */
const nameOf = (path: string): string => plain((path.split('/').at(-1) ?? '').replace(/\.ko(\.\w+)?$/, ''))

/** To the kernel both are the same. */
const plain = (name: string): string => name.replaceAll('-', '_')

const lines = (text: string): string[] => text.split('\n').filter(Boolean)
