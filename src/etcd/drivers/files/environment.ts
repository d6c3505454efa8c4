import type { Launch } from '../driver.ts'

/** etcd's flags as the variables that it reads them from: `--data-dir=/x` is `ETCD_DATA_DIR="/x"`. Pure. */
export function environmentFile({ member, args, bootstrapArgs }: Launch, cluster: string): string {
  return [
    `# The flags of etcd, member ${member} of ${cluster}. Written by kubectl karmada-net, which rewrites what differs.`,
    ...args.map(assignment),
    '',
    '# Read at its first start alone, while there is no data.',
    ...bootstrapArgs.map(assignment),
    '',
  ].join('\n')
}

function assignment(arg: string): string {
  const [, flag = '', value = 'true'] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? []
  return `ETCD_${flag.replaceAll('-', '_').toUpperCase()}="${value.replace(/[\\"$`]/g, '\\$&')}"`
}
