/** What a connection says that failed before any byte of TLS, by the code of its error: in `vip status` and in `vip verify`. */
export const socketWords: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'no answer',
  EACCES: 'not allowed by a local firewall',
  EPERM: 'not allowed by a local firewall',
}
