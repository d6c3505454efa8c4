import type { ClusterSpec, MemberSpec } from '../cluster.ts'
import type { Surroundings } from '../world.ts'
import { createDockerDriver } from './docker/index.ts'
import type { Driver } from './driver.ts'
import { createFilesDriver } from './files/index.ts'
import { createKubernetesDriver } from './kubernetes/index.ts'

/** The driver that the inventory names for a member. Touches nothing yet. */
export function createDriver(
  cluster: string,
  member: MemberSpec,
  surroundings: Surroundings & Pick<ClusterSpec, 'imageRegistry'>,
): Driver {
  const { driver } = member
  switch (driver.kind) {
    case 'docker':
      return createDockerDriver(cluster, member, surroundings)
    case 'kubernetes':
      return createKubernetesDriver(cluster, member, {
        ...surroundings,
        client: surroundings.clientOf(driver.context),
      })
    case 'files':
      return createFilesDriver(cluster, member)
  }
}
