import type { Session } from '../../cli/session.ts'
import type { StepGroup } from '../../steps/step.ts'

/** A dry run of steps that send no objects: their titles, in order, on stdout. Throws what would make the first of them refuse. */
export async function sayPlan<World>(
  session: Session,
  groups: readonly StepGroup<World>[],
  world: World,
): Promise<void> {
  const { askGuards } = await import('../../steps/runner.ts')
  await askGuards(groups, world)
  const lines = groups.flatMap(({ title, steps }) =>
    steps.map(step => (title === undefined ? step.title : `${title}: ${step.title}`)),
  )
  for (const [index, line] of lines.entries()) session.out(`${index + 1}. ${line}`)
  session.say(lines.length === 0 ? 'Nothing to do (dry run).' : 'Nothing was changed (dry run).')
}
