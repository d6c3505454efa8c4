import type { Plugin } from 'esbuild'

/**
 * Leaves out what yargs' parser does not need and what costs start-up time: the platform shim (assert, cliui, a look-up of
 * package.json upwards from the working directory) and string-width, whose import alone makes an Intl.Segmenter (20 ms).
 */
export const withoutYargsShim: Plugin = {
  name: 'without-yargs-shim',
  setup(build) {
    build.onResolve({ filter: /^string-width$|\/platform-shims\/esm\.mjs$/ }, ({ path }) => ({
      path,
      namespace: 'emptied',
      sideEffects: false,
    }))
    build.onLoad({ filter: /.*/, namespace: 'emptied' }, () => ({ contents: 'export default {}' }))
  },
}

/** client-node's KubeConfig imports all generated API classes (a thousand files) for two names; these two are enough. */
export const withoutGeneratedApis: Plugin = {
  name: 'without-generated-apis',
  setup(build) {
    build.onResolve({ filter: /^\.\/gen\/index\.js$/ }, ({ importer }) =>
      importer.replaceAll('\\', '/').endsWith('client-node/dist/config.js')
        ? { path: 'gen', namespace: 'two-names', pluginData: importer }
        : undefined,
    )
    build.onLoad({ filter: /.*/, namespace: 'two-names' }, ({ pluginData: importer }) => ({
      contents: `export { ServerConfiguration } from './gen/servers.js'
        export const createConfiguration = () => { throw new Error('not part of this bundle') }`,
      resolveDir: String(importer).replace(/[/\\]config\.js$/, ''),
    }))
  },
}
