import { UserError } from '../../../errors.ts'
import type { Handwork } from '../driver.ts'
import { type Place, restoreScript, unitName } from './names.ts'

/** What the owner of the machine types there. Pure. */
function commands({ cluster, run }: Place) {
  const name = unitName(cluster)
  if (run === 'systemd') {
    return {
      restart: `systemctl restart ${name}`,
      stop: `systemctl stop ${name}`,
      logs: (lines: number) => `journalctl -u ${name} -n ${lines} --no-pager`,
    }
  }
  const manifest = `/etc/kubernetes/manifests/${name}.yaml`
  const aside = `/etc/kubernetes/${name}.yaml`
  return {
    restart: `mv ${manifest} ${aside}; when its pod is gone: mv ${aside} ${manifest}`,
    stop: `mv ${manifest} ${aside}`,
    logs: (lines: number) => `crictl logs --tail ${lines} "$(crictl ps --all --quiet --latest --name '^${name}$')"`,
  }
}

/** In words and commands. Pure. */
export function todoFor(place: Place, work: Handwork): string {
  const { member, folder, run } = place
  const { restart, stop } = commands(place)
  const copy = `copy ${folder} to ${member.address}`
  const installed = `${copy}, install it (its README, steps 1 to 3)`
  const todo: Record<Handwork, string> = {
    // A kubelet restarts a pod whose manifest changes.
    install: run === 'systemd' ? `${installed}, then there: ${restart}` : installed,
    restart: `${installed}, then there: ${restart}`,
    certificates: `${copy}, install it (its README, steps 1 to 3); no restart is needed`,
    stop: `on ${member.address}: ${stop}`,
    restore: `${copy} (its README, step 1), then there, in it: sh ${restoreScript}`,
  }
  return `${member.name}: ${todo[work]}`
}

/** For what the driver was asked to do itself. */
export const onlyOwner = (place: Place, work: 'restart' | 'stop'): UserError =>
  new UserError(`${place.member.name} was installed from files: only you can ${work} it, on ${place.member.address}`, {
    hint: `there: ${commands(place)[work]}   then the same command again`,
  })

export const logsHint = (place: Place, lines: number): string =>
  `on ${place.member.address}: ${commands(place).logs(lines)}\n`
