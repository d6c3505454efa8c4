import type { ProxyNews } from '../kube-proxy/ask.ts'

/** One connection through the virtual IP, or straight to an API server, and what came back. */
export interface Passage {
  /** `host:port` of the API server that answered, where it can be told. */
  server?: string
  /** From the first packet to the answer. */
  tookMs?: number
  /** Of `GET /readyz`. */
  status?: number
  /** Why there was no answer, in a few words. */
  error?: string
  certificate?: SeenCertificate
}

/** What an API server shows to everybody. */
export interface SeenCertificate {
  /** SHA-256. */
  fingerprint: string
  /** ISO 8601. */
  validTo: string
  /** Is it for the virtual IP? */
  forVip: boolean
  /** Is it for the name of the settings? */
  forName: boolean
  /** Why it is not trusted; left out: it is. */
  distrusted?: string
}

/** `GET /verify` of an agent. */
export interface HostPassages {
  /** Through the virtual IP, in this order, each kept open until the last. */
  through: Passage[]
  /** Straight to those that should get connections and that none of these reached. */
  straight: Passage[]
  /** How the node's kube-proxy runs, where it says so. */
  kubeProxy?: ProxyNews
}
