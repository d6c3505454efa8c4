/**
 * A script in bash that ends when this is so of `$table`, the kernel's own text: in one process, as on a simulated processor another for
 * each look would be what takes longest.
 */
export const untilTable = (condition: string): string =>
  `exec {never}<> <(:); until mapfile -t lines </proc/net/ip_vs; table="\${lines[*]}"; [[ ${condition} ]]; do read -rt 0.02 -u "$never"; done; :`

/** Its part of such a condition: this `address:6443` is there. */
export const isThere = (address: string): string => `$table == *${inHex(address)}*`
export const isGone = (address: string): string => `$table != *${inHex(address)}*`

const inHex = (address: string): string =>
  `${address
    .split('.')
    .map(byte => Number(byte).toString(16).toUpperCase().padStart(2, '0'))
    .join('')}:192B`
