/** What etcd writes first of all when it starts; what is before it in a log is of an earlier run. */
const beginning = '"Running: "'
const untrusted =
  /certificate signed by unknown authority|remote error: tls: (unknown certificate authority|bad certificate|unknown certificate)/

/** Addresses whose certificate etcd turned away since it was last started, or who turned its own away, from its log. Pure. */
export function refusedClients(log: string): string[] {
  const lines = log.slice(Math.max(0, log.lastIndexOf(beginning))).split('\n')
  const addresses = lines.flatMap(line => {
    if (!line.includes('rejected connection on client endpoint') || !untrusted.test(line)) return []
    const remote = /"remote-addr":"([^"]+)"/.exec(line)?.[1]
    return remote === undefined ? [] : [remote.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')]
  })
  return [...new Set(addresses)]
}
