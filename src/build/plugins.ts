import type { Plugin } from 'esbuild'

const emptied = new RegExp(
  [
    // Of yargs only the parser is used: without assert, cliui, y18n and a look-up of package.json from the working directory
    // upwards; string-width alone makes an Intl.Segmenter when it is imported (20 ms).
    /\/platform-shims\/esm\.mjs$/,
    /^string-width$/,
    // yargs-parser makes a `require` for configuration files, where there is one to make.
    /^node:module$/,
    // Of client-node only logins: requests and proxies are our own (src/kube). undici alone is 730 kB.
    /^(undici|socks|socks-proxy-agent|hpagent)$/,
  ]
    .map(({ source }) => source)
    .join('|'),
)

/** Leaves out modules that are imported but never used. */
export const withoutUnused: Plugin = {
  name: 'without-unused',
  setup(build) {
    build.onResolve({ filter: emptied }, ({ importer }) =>
      importer.includes('node_modules') ? { path: 'nothing', namespace: 'emptied', sideEffects: false } : undefined,
    )
    build.onLoad({ filter: /.*/, namespace: 'emptied' }, () => ({ contents: 'module.exports = {}' }))
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
