/** What a snapshot's name tells: `karmada-1000104754-20261121T112304Z.db`. */
export interface SnapshotName {
  cluster: string
  revision: bigint
  takenAt: Date
}

const pattern = /^(.+)-(\d+)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.db$/

export const snapshotName = ({ cluster, revision, takenAt }: SnapshotName): string =>
  `${cluster}-${revision}-${takenAt.toISOString().replace(/[-:]|\.\d+/g, '')}.db`

/** Undefined: the file was named by somebody else. */
export function parseSnapshotName(file: string): SnapshotName | undefined {
  const [, cluster, revision, year, month, day, hour, minute, second] = pattern.exec(file) ?? []
  if (cluster === undefined || revision === undefined) return undefined
  const takenAt = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(takenAt.getTime()) ? undefined : { cluster, revision: BigInt(revision), takenAt }
}

const partPattern = /^\.(.+)\.([0-9a-f]+)\.part$/

/** While it is being written: hidden, and each run's own. In a container every process has the same number, so `run` is drawn. */
export const partName = (cluster: string, run: string): string => `.${cluster}.${run}.part`

/** Is this what is left of a snapshot of the cluster that was never finished? */
export const isPartOf = (cluster: string, file: string): boolean => partPattern.exec(file)?.[1] === cluster

/** Which of the files to remove so that the newest `keep` snapshots of the cluster stay. Names that are not ours are never among them. */
export function outdated(files: readonly string[], cluster: string, keep: number): string[] {
  return files
    .flatMap(file => {
      const name = parseSnapshotName(file)
      return name?.cluster === cluster ? { file, ...name } : []
    })
    .toSorted((a, b) => b.takenAt.getTime() - a.takenAt.getTime() || Number(b.revision - a.revision))
    .slice(keep)
    .map(({ file }) => file)
}
