/**
 * Where a cluster's state and certificates are kept: a small tree of files. For docker and files members a folder of the user's
 * machine (`directory.ts`), for Kubernetes members a Secret in each of their clusters (`secrets.ts`), so that any kubeconfig will do.
 *
 * `cluster.json` (ClusterState), `ca.crt`, `ca.key`, `clients/NAME.crt`, `clients/NAME.key`.
 */
export interface Store {
  /** For people: `~/.kube/karmada-net/etcd/karmada`, `Secret karmada-net-etcd/karmada`. */
  where: string
  read(path: string): Promise<string | undefined>
  /** All files at once or none. Keys are 0600. `undefined` removes one. */
  write(files: Record<string, string | undefined>): Promise<void>
  list(): Promise<string[]>
  /**
   * Held by one command at a time, in whatever way this store can. Throws UserError naming the other holder.
   * Answers how to let it go.
   */
  lock(what: string): Promise<() => Promise<void>>
  /** Of a store that has a copy in each of several contexts: takes away those of `gone`, unless one of `staying` leads to the same cluster. */
  leave?(gone: string[], staying: string[]): Promise<void>
  /** Everything of this cluster. */
  remove(): Promise<void>
}
