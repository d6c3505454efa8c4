/** How members find the gateway. */
export const exposures = ['nodeport', 'loadbalancer', 'hostport'] as const
export type Exposure = (typeof exposures)[number]

/** How a member's objects get to it. */
export const deliveries = ['karmada', 'context', 'print'] as const
export type Delivery = (typeof deliveries)[number]

export interface Address {
  host: string
  port: number
}

/** `--address HOST[:PORT]`. */
export interface GivenAddress {
  host: string
  port?: number | undefined
}

/** What the host side of every tunnel of one plane has in common. */
export interface HostSettings {
  /** Karmada's namespace on the host cluster. */
  namespace: string
  /** DNS domain of the host cluster's Services. */
  clusterDomain: string
  expose: Exposure
  /** What members are told to dial, where it is not found by itself. */
  address: GivenAddress | undefined
  /** Of each part: gateway, proxy-server, proxy-agent. */
  replicas: number
  /** Replaces the images' registry, as for sites without internet access: `registry.example.com/mirror`. */
  imageRegistry: string | undefined
}

/** One member's tunnel. */
export interface TunnelSettings extends HostSettings {
  member: string
  /** What the member's agents dial. */
  gateway: Address
  /** The member's API server as seen from inside the member; the only target that the tunnel lets through. */
  apiServer: Address
  /** Where the agent goes in the member. */
  memberNamespace: string
  deliver: Delivery
}

export const apiEndpointOf = ({ apiServer }: Pick<TunnelSettings, 'apiServer'>): string =>
  `https://${hostPort(apiServer)}`

export const hostPort = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
