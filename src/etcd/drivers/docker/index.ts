import type { DockerSpec, MemberSpec } from '../../cluster.ts'
import type { Driver } from '../driver.ts'
import { createDocker, type Docker, type DockerOptions } from './cli.ts'
import { readOurs } from './container.ts'
import { etcdutl } from './etcdutl.ts'
import { deliverFiles } from './files.ts'
import { inspect, logs } from './inspect.ts'
import { type Names, namesOf, paths } from './names.ts'
import { restart, start, stop } from './start.ts'
import { listOurs, removeVolumes } from './volumes.ts'

/** A member as one container on the host's network, its data and its certificates in volumes of their own. Touches nothing yet. */
export function createDockerDriver(cluster: string, member: MemberSpec, options: DockerOptions): Driver {
  const docker = createDocker(dockerSpec(member), options)
  const names = namesOf(cluster, member.name)
  return {
    where: docker.where,
    paths,
    acts: true,
    inspect: () => inspect(docker, names),
    deliver: files => deliverFiles(docker, names, files),
    start: launch => start(docker, names, launch),
    restart: () => restart(docker, names),
    stop: () => stop(docker, names),
    etcdutl: (launch, args, snapshot, sizeBytes) => etcdutl(docker, names, launch, args, snapshot, sizeBytes),
    async discardBefore(generation) {
      await removeVolumes(docker, names, ({ name }) => (names.generationOf(name) ?? generation) < generation)
    },
    remove: ({ keepData }) => remove(docker, names, keepData),
    async logs(lines) {
      return (await readOurs(docker, names)) ? logs(docker, names, lines) : ''
    },
  }
}

function dockerSpec({ name, driver }: MemberSpec): DockerSpec {
  if (driver.kind !== 'docker') throw new Error(`${name} does not run on docker but on ${driver.kind}`)
  return driver
}

async function remove(docker: Docker, names: Names, keepData: boolean): Promise<boolean> {
  const containers = await listOurs(docker, names, 'container')
  if (containers.length > 0) await docker.run(['stop', '-t', '10', ...containers])
  if (containers.length > 0) await docker.run(['container', 'rm', '--force', '--volumes', ...containers])
  const images = await listOurs(docker, names, 'image')
  if (images.length > 0) await docker.run(['image', 'rm', '--force', ...images])
  const volumes = await removeVolumes(docker, names, ({ name }) => !keepData || name === names.pkiVolume)
  return containers.length + volumes > 0
}
