const units = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 }

/** Bytes of `8Gi` or `8589934592`, which the schema has checked. */
export function bytesOf(size: string | number): number {
  const [, number = '', unit] = /^(\d+)(Ki|Mi|Gi)?$/.exec(String(size)) ?? []
  return Number(number) * (unit ? units[unit as keyof typeof units] : 1)
}

/** The other way, in the largest unit that says it exactly. */
export function sizeOf(bytes: number): string | number {
  const unit = (['Gi', 'Mi', 'Ki'] as const).find(candidate => bytes > 0 && bytes % units[candidate] === 0)
  return unit ? `${bytes / units[unit]}${unit}` : bytes
}
