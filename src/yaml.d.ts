/** Manifests, bundled into the executable as text. */
declare module '*.yaml' {
  const text: string
  export default text
}
