/** The first key behind all that begin with `prefix`: what a range query takes as its end. For an empty prefix: no end. */
export function prefixEnd(prefix: string | Buffer): Buffer {
  const end = Buffer.from(prefix)
  for (let at = end.length - 1; at >= 0; at--) {
    const byte = end[at] ?? 0
    if (byte < 0xff) {
      end[at] = byte + 1
      return end.subarray(0, at + 1)
    }
  }
  return Buffer.from([0])
}
