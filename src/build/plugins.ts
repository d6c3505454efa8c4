import { isBuiltin } from 'node:module'
import * as esbuild from 'esbuild'

const emptied = new RegExp(
  [
    // Of yargs only the parser is used: without assert, cliui, y18n and a look-up of package.json from the working directory
    // upwards; string-width alone makes an Intl.Segmenter when it is imported (20 ms).
    /\/platform-shims\/esm\.mjs$/,
    /^string-width$/,
    // Of client-node only logins: requests and proxies are our own (src/kube). undici alone is 730 kB.
    /^(undici|socks|socks-proxy-agent|hpagent)$/,
  ]
    .map(({ source }) => source)
    .join('|'),
)

/** Leaves out modules that are imported but never used. */
const withoutUnused: esbuild.Plugin = {
  name: 'without-unused',
  setup(build) {
    build.onResolve({ filter: emptied }, ({ importer }) =>
      importer.includes('node_modules') ? { path: 'nothing', namespace: 'emptied', sideEffects: false } : undefined,
    )
    build.onLoad({ filter: /.*/, namespace: 'emptied' }, () => ({ contents: 'module.exports = {}' }))
  },
}

/** client-node's KubeConfig imports all generated API classes (a thousand files) for two names; these two are enough. */
const withoutGeneratedApis: esbuild.Plugin = {
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

const common = [withoutUnused, withoutGeneratedApis]

/**
 * Packs each package that our code imports as a string, compiled when it is first needed: V8 reads through all code of a file
 * before it runs the first line (17 ms a megabyte), but through a string at no cost. yargs is needed at every start.
 */
const packagesAsText = (options: esbuild.BuildOptions): esbuild.Plugin => ({
  name: 'packages-as-text',
  setup(build) {
    build.onResolve({ filter: /^[a-z@]/ }, ({ path, importer, resolveDir, kind }) => {
      const ours = kind !== 'entry-point' && !importer.includes('node_modules')
      return ours && !isBuiltin(path) && path !== 'yargs/helpers'
        ? { path, namespace: 'package', pluginData: resolveDir }
        : undefined
    })
    build.onLoad({ filter: /.*/, namespace: 'package' }, async ({ path, pluginData: resolveDir }) => {
      const stdin = { contents: `export * from '${path}'`, resolveDir: String(resolveDir) }
      const built = await esbuild.build({ ...options, stdin, plugins: common, write: false })
      const text = built.outputFiles[0]?.text ?? ''
      if (/\bimport\(/.test(text)) throw new Error(`${path} imports at run time, which compiled text cannot`)
      return {
        contents: `new Function('module', 'exports', 'require', ${JSON.stringify(text)})(module, exports, require)`,
      }
    })
  },
})

export const plugins = (options: esbuild.BuildOptions): esbuild.Plugin[] => [...common, packagesAsText(options)]
