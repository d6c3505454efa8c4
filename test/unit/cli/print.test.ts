import { expect, test } from 'vitest'
import { masked, printPlanned, typedName } from '../../../src/cli/planned.ts'
import { print, type View } from '../../../src/cli/print.ts'
import type { Column } from '../../../src/cli/table.ts'
import { fakeIo, fakeSession } from './fake-io.ts'

interface Row {
  name: string
  mode?: string
  note: string
}
const columns: Column<Row>[] = [
  { header: 'NAME', value: row => row.name },
  { header: 'MODE', value: row => row.mode },
  { header: 'ZONE', value: () => 'z1', wide: true },
  { header: 'NOTE', value: row => row.note },
]
const rows: Row[] = [
  { name: 'member1', mode: 'Pull', note: 'two\nlines' },
  { name: 'm2', note: '' },
]
const name = (row: Row) => `cluster.cluster.karmada.io/${row.name}`

async function shown(view: View<Row>, output?: 'json' | 'yaml' | 'name' | 'wide') {
  const io = fakeIo()
  await print(fakeSession(io), view, output)
  return { stdout: io.stdout.text, stderr: io.stderr.text }
}

test('a table has no trailing blanks, and a dash for what is not there', async () => {
  const { stdout } = await shown({ columns, rows })
  expect(stdout.split('\n')).toEqual(['NAME      MODE   NOTE', 'member1   Pull   two lines', 'm2        -', ''])
})

test('wide shows the wide columns', async () => {
  const { stdout } = await shown({ columns, rows }, 'wide')
  expect(stdout.split('\n')[1]).toBe('member1   Pull   z1     two lines')
})

test('name, one a line', async () => {
  expect((await shown({ columns, rows, name }, 'name')).stdout).toBe(
    'cluster.cluster.karmada.io/member1\ncluster.cluster.karmada.io/m2\n',
  )
})

test('json and yaml hold the rows, or the data that the view has for programs', async () => {
  expect(JSON.parse((await shown({ columns, rows }, 'json')).stdout)).toEqual({ items: rows })
  const data = () => ({ kind: 'List', items: [{ on: 'yes' }] })
  expect((await shown({ columns, rows, data }, 'yaml')).stdout).toBe("kind: List\nitems:\n- 'on': 'yes'\n")
  expect((await shown({ columns, rows, data }, 'json')).stdout).toBe(
    '{\n    "kind": "List",\n    "items": [\n        {\n            "on": "yes"\n        }\n    ]\n}\n',
  )
})

test('no rows: a word on stderr, nothing on stdout; but data stays data', async () => {
  const view = { columns, rows: [], empty: 'No members in plane karmada' }
  expect(await shown(view)).toEqual({ stdout: '', stderr: 'No members in plane karmada\n' })
  expect(await shown(view, 'json')).toEqual({ stdout: '{\n    "items": []\n}\n', stderr: '' })
})

const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, data: { 'tls.key': 'c2VjcmV0' } }
const work = {
  apiVersion: 'work.karmada.io/v1alpha1',
  kind: 'Work',
  metadata: { name: 'agent' },
  spec: { workload: { manifests: [{ ...secret, stringData: { token: 'abc' } }] } },
}
const planned = [
  { where: 'host hub', object: secret },
  { where: 'member m1, through Work karmada-es-m1/agent', object: work },
]

async function plan(output?: 'json' | 'yaml' | 'name', showSecrets = false) {
  const io = fakeIo()
  await printPlanned(fakeSession(io), planned, output, { showSecrets })
  return io.stdout.text
}

test('a dry run names each object below where it goes', async () => {
  expect(await plan()).toBe(
    '# host hub\nsecret/keys (dry run)\n# member m1, through Work karmada-es-m1/agent\nwork.work.karmada.io/agent (dry run)\n',
  )
  expect(await plan('name')).toBe('secret/keys\nwork.work.karmada.io/agent\n')
})

test.each(['json', 'yaml'] as const)(
  'a dry run as %s hides what Secrets hold, however deep, unless asked',
  async output => {
    const hidden = await plan(output)
    expect(hidden).toContain('tls.key')
    expect(hidden).not.toMatch(/c2VjcmV0|abc/)
    expect(await plan(output, true)).toMatch(/c2VjcmV0.*abc/s)
  },
)

test('a dry run as yaml says above each document where it goes', async () => {
  const documents = (await plan('yaml')).split('---\n')
  expect(documents.map(text => text.split('\n')[0])).toEqual(planned.map(({ where }) => `# ${where}`))
})

test('masking leaves the original and what is no Secret alone', () => {
  const config = { kind: 'ConfigMap', data: { a: 'b' } }
  expect(masked(config)).toEqual(config)
  masked(secret)
  expect(secret.data['tls.key']).toBe('c2VjcmV0')
})

test.each([
  [{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' } }, 'deployment.apps/a'],
  [{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } }, 'service/a'],
])('typedName %#', (object, text) => expect(typedName(object)).toBe(text))
