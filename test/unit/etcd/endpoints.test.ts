import { writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { reachEndpoints } from '../../../src/etcd/endpoints.ts'
import { temporaryFolder } from './snapshot/files.ts'

const rest = { name: 'any', signal: new AbortController().signal, timeoutMs: 1000 }

test('members are named by where they are; a port that is left out is that of etcd', async () => {
  await using folder = await temporaryFolder()
  for (const name of ['ca', 'cert', 'key']) await writeFile(folder.path(name), name)
  const files = { caFile: folder.path('ca'), certFile: folder.path('cert'), keyFile: folder.path('key') }
  const endpoints = 'https://10.0.0.1, https://m2.example:12379,https://[fd00::1]:443'
  const { state, clientOf } = await reachEndpoints({ ...rest, ...files, endpoints })
  expect(state.spec.members.map(({ name }) => name)).toEqual(['10.0.0.1:2379', 'm2.example:12379', '[fd00::1]'])
  expect(state.spec.members.map(member => clientOf(member).endpoint)).toEqual([
    'https://10.0.0.1:2379',
    'https://m2.example:12379',
    'https://[fd00::1]',
  ])
})

test.each(['http://10.0.0.1:2379', '10.0.0.1:2379', 'https://10.0.0.1:2379/v3', 'https://a:b@10.0.0.1', ''])(
  '"%s" is none',
  async endpoints => {
    await expect(reachEndpoints({ ...rest, endpoints })).rejects.toThrow('is no endpoint of etcd over TLS')
  },
)

test('each file is asked for by its flag', async () => {
  const endpoints = 'https://10.0.0.1:2379'
  await expect(reachEndpoints({ ...rest, endpoints })).rejects.toThrow('--endpoints needs --ca-file beside it')
  const files = { caFile: '/nowhere', certFile: '/nowhere', keyFile: '/nowhere' }
  await expect(reachEndpoints({ ...rest, ...files, endpoints })).rejects.toThrow(
    /^--\w+-file: \/nowhere cannot be read$/,
  )
})
