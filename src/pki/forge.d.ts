/** forge's ASN.1 encoder alone: the rest of the library is RSA-only and seven times as large. */
declare module 'node-forge/lib/asn1.js' {
  import type { asn1 } from 'node-forge'

  const encoder: typeof asn1
  export default encoder
}
