/** The certificates of a text in PEM, one by one; what else is in it, keys for one, is left out. */
export const certificatesIn = (text: string): string[] =>
  text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []

/** The text without keys. */
export const certificatesOnly = (text: string): string =>
  certificatesIn(text)
    .map(certificate => `${certificate}\n`)
    .join('')
