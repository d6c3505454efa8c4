import type { Step, StepResult } from '../../steps/step.ts'
import type { VipWorld } from '../world.ts'
import { requireName, type SeenCertificate, seeCertificates } from './certificates.ts'
import type { UpJob } from './steps.ts'

/** After everything that may be against the address itself: new certificates are asked for only where they will be used. */
export const certificatesStep = (job: UpJob): Step<VipWorld> => {
  const run = async (world: VipWorld): Promise<StepResult> => ({ changed: false, detail: await certified(job, world) })
  return { title: "API servers' certificates", run, dryRun: run }
}

/** Answers what to say of them. Throws `UserError` where one is not valid for what clients will check. */
export async function certified(
  { settings: { vip, tlsServerName }, found, otherName, facts }: UpJob,
  { force }: Pick<VipWorld, 'force'>,
): Promise<string> {
  if (otherName) return `not looked at: clients check ${tlsServerName}`
  // Later, only clients that were moved to it would notice, and they have settled it.
  if (found) return 'not looked at again'
  const seen = await seeCertificates(facts?.apiServers ?? [], vip)
  if (!force) requireName(seen, vip)
  return describeSeen(seen, vip)
}

/** Pure. */
export function describeSeen(seen: readonly SeenCertificate[], vip: string): string {
  const fitting = seen.filter(({ fits }) => fits).length
  const hidden = seen.filter(({ fits }) => fits === undefined).length
  return `${fitting} of ${seen.length} valid for ${vip}${hidden > 0 ? `, ${hidden} out of reach from here` : ''}`
}
