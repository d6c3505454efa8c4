import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** Manifests are bundled as text; the unit tests read them the same way. */
const manifestsAsText = {
  name: 'manifests-as-text',
  transform: (code: string, id: string) =>
    /\.(yaml|service|timer|sh)$/.test(id) ? `export default ${JSON.stringify(code)}` : undefined,
}

/** Tests of etcd that need whole clusters; the others run beside nothing but machines. */
const etcdOnClusters = ['backup', 'files', 'karmada', 'kubernetes', 'kubernetes-life'].map(
  name => `e2e/etcd/${name}.test.ts`,
)

export default defineConfig({
  plugins: [manifestsAsText],
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          root: import.meta.dirname,
          include: ['unit/**/*.test.ts'],
          // A worker for each file would spend more on imports than on tests.
          isolate: false,
          maxWorkers: 2,
          // A machine that does other things as well is no failure.
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'vm',
          root: import.meta.dirname,
          include: ['vm/**/*.test.ts'],
          // Its processor is simulated: what takes a moment elsewhere takes seconds there.
          testTimeout: 120_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'etcd',
          root: import.meta.dirname,
          include: ['e2e/etcd/*.test.ts'],
          exclude: etcdOnClusters,
          globalSetup: [join(import.meta.dirname, 'e2e/etcd/setup.ts')],
          setupFiles: [join(import.meta.dirname, 'e2e/matchers.ts')],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          root: import.meta.dirname,
          include: ['e2e/*.test.ts', ...etcdOnClusters],
          globalSetup: [join(import.meta.dirname, 'e2e/setup.ts')],
          setupFiles: [join(import.meta.dirname, 'e2e/matchers.ts')],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'vip',
          root: import.meta.dirname,
          include: ['e2e/vip/**/*.test.ts'],
          globalSetup: [join(import.meta.dirname, 'e2e/vip/setup.ts')],
          setupFiles: [join(import.meta.dirname, 'e2e/matchers.ts')],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
