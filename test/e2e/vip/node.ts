import type { VmNode } from '../../sandbox/vm-node.ts'

/** What tests ask a node in a virtual machine about its virtual IP. */
export function nodeOf(vm: VmNode, address: string) {
  const shell = async (script: string, ...args: string[]) =>
    (await vm.exec(['sh', '-ec', script, 'sh', ...args])).stdout
  return {
    /** Runs a script with `sh -e`; its arguments are $1, $2. Answers what it printed. */
    shell,
    /** The table, a line each, sorted. */
    rules: async () => (await shell('ipvsadm -S -n')).trim().split('\n').toSorted(),
    /** Everything on the node that the virtual IP may change. */
    snapshot: () =>
      shell(
        `find /etc/systemd /etc/sysctl.d /etc/modules-load.d /opt /var/lib/karmada-net -printf '%p %M %l\n' 2>/dev/null | sort
for each in conntrack expire_nodest_conn expire_quiescent_template; do cat "/proc/sys/net/ipv4/vs/$each"; done
ipvsadm -S -n
ip route show table local "$1"`,
        address,
      ),
  }
}

/** Where tests lay what `vip render` wrote, as somebody's hand would; it outlives a boot. */
export const byHand = '/var/lib/vip-by-hand'
