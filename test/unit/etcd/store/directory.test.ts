import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { UserError } from '../../../../src/errors.ts'
import { createDirectoryStore, listClusters } from '../../../../src/etcd/store/directory.ts'

let root: string
let folder: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'karmada-net-store-'))
  folder = join(root, 'etcd', 'karmada')
})
afterEach(() => rm(root, { recursive: true, force: true }))

const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)
const module = join(import.meta.dirname, '../../../../src/etcd/store/directory.ts')

/** Another process with `store` in its hands; it says `ready` when `code` got so far. */
async function elsewhere(code: string) {
  const text = `import { createDirectoryStore } from ${JSON.stringify(module)}
const store = createDirectoryStore(${JSON.stringify(folder)})
const ready = () => process.stdout.write('ready\\n')
${code}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  await Promise.race([once(child.stdout, 'data'), exited])
  return {
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    exited,
  }
}

describe('files', () => {
  test('come back as they were written, and go', async () => {
    const store = createDirectoryStore(folder)
    expect(await store.read('ca.crt')).toBeUndefined()
    expect(await store.list()).toEqual([])
    await store.write({ 'ca.crt': 'a', 'clients/admin.key': 'b' })
    expect(await store.list()).toEqual(['ca.crt', 'clients/admin.key'])
    await store.write({ 'ca.crt': undefined, 'clients/admin.key': 'c', 'never.was': undefined })
    expect(await store.read('ca.crt')).toBeUndefined()
    expect(await store.read('clients/admin.key')).toBe('c')
    expect(await store.list()).toEqual(['clients/admin.key'])
  })

  test('are for their owner alone, also where the folder was open to all', async () => {
    const store = createDirectoryStore(folder)
    await store.write({ 'ca.key': 'a' })
    await chmod(folder, 0o755)
    await store.write({ 'clients/admin.key': 'b' })
    expect(await mode(folder)).toBe('700')
    expect(await mode(join(folder, 'clients'))).toBe('700')
    expect(await mode(join(folder, 'ca.key'))).toBe('600')
    expect(await mode(join(folder, 'clients/admin.key'))).toBe('600')
  })

  test.each(['', '/etc/passwd', '../x', 'a/../../x', '.lock'])('a path like "%s" is no file of a store', async path => {
    const store = createDirectoryStore(folder)
    await expect(store.write({ [path]: 'x' })).rejects.toThrow(`no path: "${path}"`)
  })

  // Processes start slowly on a machine that is busy.
  test('of one write are all there or none, whenever the writer is killed', { timeout: 60_000 }, async () => {
    for (let round = 0; round < 4; round++) {
      const writer = await elsewhere(`for (let n = 1; ; n++) {
        const same = 'x'.repeat(20000) + n
        await store.write({ 'a/one': same, 'b/two': same, three: same, [n % 2 ? 'odd' : 'even']: String(n), [n % 2 ? 'even' : 'odd']: undefined })
        if (n === 3) ready()
      }`)
      await new Promise(resolve => setTimeout(resolve, round * 11))
      await writer.kill()
      const store = createDirectoryStore(folder)
      const before = await Promise.all(['a/one', 'b/two', 'three'].map(path => store.read(path)))
      expect(new Set(before).size).toBe(1)
      const number = Number(before[0]?.slice(20000))
      expect(await store.read(number % 2 ? 'odd' : 'even')).toBe(String(number))
      expect(await store.read(number % 2 ? 'even' : 'odd')).toBeUndefined()
      // The next write clears away what the killed one left.
      await store.write({ last: 'x' })
      // But for the draft of a lock, empty, that it was killed over.
      const left = (await readdir(folder)).filter(name => !name.startsWith('.writing.'))
      expect(left).toEqual(
        ['a', 'b', 'three', number % 2 ? 'odd' : 'even', 'last'].toSorted((a, b) => (a < b ? -1 : 1)),
      )
      expect(await store.read('a/one')).toBe(before[0])
    }
  })

  test('of several writers do not mix', async () => {
    const store = createDirectoryStore(folder)
    await Promise.all([1, 2, 3, 4, 5].map(n => store.write({ one: `${n}`, two: `${n}`, [`own-${n}`]: 'x' })))
    expect(await store.read('one')).toBe(await store.read('two'))
    expect(await store.list()).toEqual(['one', 'own-1', 'own-2', 'own-3', 'own-4', 'own-5', 'two'])
  })

  test('are gone when the cluster is', async () => {
    const store = createDirectoryStore(folder)
    await store.write({ 'cluster.json': '{}' })
    await store.remove()
    await store.remove()
    expect(await readdir(join(root, 'etcd'))).toEqual([])
  })
})

describe('the clusters of a folder', () => {
  test('are those that something is known of', async () => {
    expect(await listClusters(root)).toEqual([])
    await createDirectoryStore(join(root, 'etcd', 'two')).write({ 'cluster.json': '{}' })
    await createDirectoryStore(join(root, 'etcd', 'one')).write({ 'cluster.json': '{}' })
    await createDirectoryStore(join(root, 'etcd', 'begun')).write({ 'ca.crt': 'x' })
    await writeFile(join(root, 'etcd', 'file'), '')
    expect(await listClusters(root)).toEqual(['one', 'two'])
  })

  test('where they are kept is said as people would', () =>
    expect(createDirectoryStore(`${process.env['HOME']}/.kube/karmada-net/etcd/k`).where).toBe(
      '~/.kube/karmada-net/etcd/k',
    ))
})

describe('the lock', () => {
  test('is held by one, who is named, and let go once', async () => {
    const store = createDirectoryStore(folder)
    const release = await store.lock('etcd up')
    await expect(createDirectoryStore(folder).lock('etcd down')).rejects.toThrow(
      new RegExp(`^"etcd up" is at work on this cluster: process ${process.pid}, since 2`),
    )
    await release()
    const again = await store.lock('etcd down')
    await release()
    await expect(store.lock('etcd up')).rejects.toThrow(UserError)
    await again()
    expect(await readdir(join(root, 'etcd'))).toEqual([])
  })

  test('does not keep anybody from reading and writing what it protects', async () => {
    const store = createDirectoryStore(folder)
    const release = await store.lock('etcd up')
    await store.write({ 'cluster.json': '{}' })
    expect(await store.list()).toEqual(['cluster.json'])
    await release()
    expect(await readdir(folder)).toEqual(['cluster.json'])
  })

  test('of a process that was killed is nobody’s; of one that lives it is not', { timeout: 60_000 }, async () => {
    const holder = await elsewhere(`await store.lock('etcd member replace m2'); ready(); setInterval(() => {}, 1000)`)
    const store = createDirectoryStore(folder)
    await expect(store.lock('etcd up')).rejects.toThrow('"etcd member replace m2" is at work')
    await holder.kill()
    await (await store.lock('etcd up'))()
  })

  test('of a later process with the number of the dead one is nobody’s', async () => {
    const store = createDirectoryStore(folder)
    await store.write({ a: 'x' })
    const holder = { id: 'x', pid: process.pid, host: hostname(), process: 'another boot/1', what: 'w', since: 's' }
    await writeFile(join(folder, '.lock'), JSON.stringify(holder))
    await (await store.lock('etcd up'))()
  })

  test('of another machine is believed, and the error says how to break it', async () => {
    const store = createDirectoryStore(folder)
    await store.write({ a: 'x' })
    const holder = { id: 'x', pid: 1, host: 'far-away', what: 'etcd up', since: '2026-01-01T00:00:00.000Z' }
    await writeFile(join(folder, '.lock'), JSON.stringify(holder))
    const error = await store.lock('etcd down').catch((reason: unknown) => reason as UserError)
    expect(error).toMatchObject({
      message: '"etcd up" is at work on this cluster: process 1 on far-away, since 2026-01-01T00:00:00.000Z',
      hint: `wait until it has ended; if it died with its machine: rm ${join(folder, '.lock')}`,
    })
  })

  test('of a dead process is taken over by one of many', { timeout: 60_000 }, async () => {
    const dead = await elsewhere(`await store.lock('etcd up'); ready(); setInterval(() => {}, 1000)`)
    await dead.kill()
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => createDirectoryStore(folder).lock('me')))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  test('whose file is damaged is nobody’s', async () => {
    const store = createDirectoryStore(folder)
    await store.write({ a: 'x' })
    await writeFile(join(folder, '.lock'), '{"pid":')
    await (await store.lock('etcd up'))()
  })
})
