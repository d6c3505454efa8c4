/** What an agent says of its node: `GET /status` on the status port, JSON. Times are ISO 8601, addresses `host:port`. */
export interface NodeReport {
  node: string
  vip: string
  port: number
  scheduler: string
  /** Of the agent. */
  version: string
  started: string
  table: TableReport
  servers: ServerReport[]
  discovery: DiscoveryReport
  route: RouteReport
  sysctls: SysctlReport[]
  boot: BootReport
}

export interface TableReport {
  /** Is our virtual server there, with every real server that should be? */
  present: boolean
  /** When it was last found or made so. */
  completedAt?: string
  /** How often somebody else removed our virtual server since the agent started. */
  flushes: number
  lastFlush?: { at: string; suspect?: string }
  /** Why it could not be written, in one line. */
  error?: string
}

/**
 * `draining`: accepts, but says that it is not ready. `drained`: by `vip drain`. `down`: neither accepts nor answers.
 * `unknown`: not probed yet, taken to be up.
 */
export type ServerState = 'up' | 'draining' | 'drained' | 'down' | 'unknown'

export interface ServerReport {
  address: string
  source: 'discovered' | 'static' | 'both'
  state: ServerState
  /** As wanted; 0 takes no new connections. */
  weight: number
  /** Is it in the kernel's table? */
  present: boolean
  /** Connections, as the kernel counts them. */
  active: number
  inactive: number
  connectMs?: number
  readyMs?: number
  /** When the state last changed. */
  changed: string
  /** Why it is not up, or why it has weight although it is not. */
  reason?: string
}

export interface DiscoveryReport {
  /** `watch`: told by an API server since the agent started; `cache`: what the node saw last; `static`: the list of the settings. */
  from: 'watch' | 'cache' | 'static'
  seen?: string
  error?: string
}

export interface RouteReport {
  present: boolean
  /** The source address of the node's own connections to the VIP. */
  source?: string
  error?: string
}

export interface SysctlReport {
  name: string
  wanted: string
  /** Left out where it cannot be read. */
  found?: string
}

export interface BootReport {
  kind: 'systemd' | 'none'
  installed: boolean
  /** Why the state for the next boot could not be written, in one line. */
  error?: string
}
