import type { RouteReport } from '../report.ts'
import { readRoutePresent } from './proc.ts'
import { changeRoute } from './programs.ts'
import { deleteRouteArgs, routeArgs } from './route.ts'

/** /proc shows that a route is there, but not its source: it is written again this often. Milliseconds. */
const againMs = 30_000

export interface RouteKeeper {
  /** Makes the VIP an address of this node, whatever removed it. */
  keep(vip: string, source: string | undefined): Promise<RouteReport>
  drop(vip: string): Promise<string | undefined>
}

export function createRouteKeeper(): RouteKeeper {
  let last: { args: string; atMs: number } | undefined

  async function put(vip: string, source: string): Promise<string> {
    const args = routeArgs(vip, source)
    const isFresh = last?.args === args.join(' ') && performance.now() - last.atMs < againMs
    if (isFresh && readRoutePresent(vip)) return ''
    const said = await changeRoute(args).catch((error: Error) => error.message)
    last = said === '' ? { args: args.join(' '), atMs: performance.now() } : undefined
    return said
  }

  return {
    async keep(vip, source) {
      if (source === undefined)
        return { present: readRoutePresent(vip), error: `this node has no address of the IP family of ${vip}` }
      const error = await put(vip, source)
      return { present: readRoutePresent(vip), source, ...(error !== '' && { error }) }
    },
    async drop(vip) {
      last = undefined
      if (!readRoutePresent(vip)) return undefined
      return (await changeRoute(deleteRouteArgs(vip)).catch((error: Error) => error.message)) || undefined
    },
  }
}
