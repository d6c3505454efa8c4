import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { UserError } from '../../../../src/errors.ts'
import { createFilesDriver } from '../../../../src/etcd/drivers/files/index.ts'
import { requireMachines } from '../../../../src/etcd/restore/look.ts'
import { memberSpec } from '../spec.ts'

test('members that only their owner can restore are named before any member is stopped', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'karmada-net-look-'))
  const member = memberSpec('m1', { driver: { kind: 'files', directory, run: 'systemd' } })
  const driverOf = () => createFilesDriver('karmada', member)
  const world = { driverOf } as unknown as Parameters<typeof requireMachines>[0]
  await expect(requireMachines(world, [member], { sizeBytes: 1 })).rejects.toThrow(
    new UserError(`m1 (files in ${join(directory, 'm1')}): its data can only be restored on 10.0.0.1 itself`),
  )
  await rm(directory, { recursive: true })
})
