import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { cpioArchive } from '../../vm/cpio.ts'

test('busybox unpacks what was packed', () => {
  const archive = cpioArchive([
    { path: 'folder', mode: 0o755 },
    { path: 'folder/script', mode: 0o750, content: Buffer.from('#!/bin/sh\n') },
    { path: 'empty', mode: 0o644, content: Buffer.alloc(0) },
  ])
  const listed = execFileSync('/bin/busybox', ['cpio', '-tv'], {
    input: archive,
    stdio: ['pipe', 'pipe', 'ignore'],
  }).toString()
  const lines = listed.trim().split('\n')
  expect(lines.map(line => line.split(/\s+/)[0])).toEqual(['drwxr-xr-x', '-rwxr-x---', '-rw-r--r--'])
  expect(lines.map(line => line.split(/\s+/).at(-1))).toEqual(['folder', 'folder/script', 'empty'])
  expect(
    execFileSync('/bin/busybox', ['cpio', '-i', '--to-stdout', 'folder/script'], {
      input: archive,
      stdio: ['pipe', 'pipe', 'ignore'],
    }).toString(),
  ).toBe('#!/bin/sh\n')
})
