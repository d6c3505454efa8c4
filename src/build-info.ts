/** Put in by the bundler; without it (run from source) what is known there. */
declare const BUILD_VERSION: string | undefined
declare const BUILD_COMMIT: string | undefined

export const build = {
  version: typeof BUILD_VERSION === 'string' ? BUILD_VERSION : '0.0.0-source',
  commit: typeof BUILD_COMMIT === 'string' ? BUILD_COMMIT : 'unknown',
}
