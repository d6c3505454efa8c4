import { expect, test } from 'vitest'
import { copyrightsOf, ownersIn } from '../../../src/build/image/copyrights.ts'

test('a file by the package that has it, whatever the architecture', () => {
  const text = `ipvsadm: /sbin/ipvsadm
libc6:amd64: /lib/x86_64-linux-gnu/libc.so.6
diversion by dash from: /bin/sh
libstdc++6:amd64: /usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30
`
  expect([...ownersIn(text)]).toEqual([
    ['/sbin/ipvsadm', 'ipvsadm'],
    ['/lib/x86_64-linux-gnu/libc.so.6', 'libc6'],
    ['/usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30', 'libstdc++6'],
  ])
})

test('a file of no package is no part of an image', async () => {
  await expect(copyrightsOf([import.meta.filename])).rejects.toThrow('is in no Debian package')
})
