/** Manifests, bundled into the executable as text. */
declare module '*.yaml' {
  const text: string
  export default text
}

/** Units of systemd, the same way. */
declare module '*.service' {
  const text: string
  export default text
}

declare module '*.timer' {
  const text: string
  export default text
}

/** Scripts for nodes, the same way. */
declare module '*.sh' {
  const text: string
  export default text
}
