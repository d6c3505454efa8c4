import type { PlannedObject } from '../../steps/step.ts'
import type { Schedule } from '../backup/schedule.ts'
import type { ClientIdentity } from '../client/types.ts'

/** How one member of etcd runs: the same command line whatever carries it. */
export interface Launch {
  member: string
  version: string
  /** Complete reference: `gcr.io/etcd-development/etcd:v3.6.16`. */
  image: string
  generation: number
  /** What it runs with for good; a difference restarts it. */
  args: string[]
  /** `--initial-...`: read only while the data directory is empty; a difference changes nothing. */
  bootstrapArgs: string[]
}

/** Where a driver puts things, as etcd itself sees them. */
export interface MemberPaths {
  /** Of one generation. */
  data(generation: number): string
  /** Holds ca.crt, server.pem and peer.pem. */
  pki: string
}

/** What a member's etcd needs beside its command line. A pem is a certificate and its key in one file, so that they change together. */
export interface MemberFiles {
  /** One certificate, or the old and the new one while the authority changes. */
  'ca.crt': string
  'server.pem': string
  'peer.pem': string
}

export interface Found {
  /** `absent`: nothing of ours is there. */
  state: 'absent' | 'stopped' | 'running'
  /** What it was last started with; undefined where that cannot be told. */
  launch?: Pick<Launch, 'version' | 'image' | 'generation' | 'args'> | undefined
  /** What `deliver` has put there: certificates only, the keys stay. Undefined: nothing, or not all of it. */
  delivered?: MemberFiles | undefined
  /** What stands in the way and is not ours: `container "etcd-m1" was not made by this plugin`. */
  foreign?: string | undefined
  /** Of a member that stopped by itself: its exit and its last words. */
  said?: string | undefined
  /** The machine's clock minus ours. */
  clockSkewMs?: number | undefined
  /** Where the data lies. */
  freeBytes?: number | undefined
}

/**
 * What the owner of a machine does in the place of a driver that does not act: carry new files there and have etcd run with them; the same
 * where files alone would not restart it; carry certificates there, which it reads by itself; stop it; put it back to a snapshot.
 */
export type Handwork = 'install' | 'restart' | 'certificates' | 'stop' | 'restore'

/** What takes a cluster's backups on a schedule, beside one of its members. */
export interface BackupJob {
  schedule: Schedule
  keep: number
  /** Folder of the machine. */
  directory: string
  /** Name of a PersistentVolumeClaim, instead of the folder. */
  claim?: string | undefined
  /** Of all members: `https://10.0.0.1:2379`. */
  endpoints: string[]
  /** Whom to trust, and as whom to ask. */
  identity: ClientIdentity
}

/** What is known of backups without looking into their files. */
export interface BackupFound {
  newest?: Date | undefined
  /** The command that takes one now. */
  next: string
  /** Of the last one, if it failed: what it said, and the command that shows all of it. */
  failed?: { why: string; next: string } | undefined
}

/** Every method is idempotent and touches only what carries our label; the backups themselves stay. */
export interface BackupDriver {
  /** For people, also where the backups lie. */
  where(job: Pick<BackupJob, 'directory' | 'claim'>): string
  objects(job: BackupJob): PlannedObject[]
  /** Makes it so. True: something changed. */
  ensure(job: BackupJob): Promise<boolean>
  /** Undefined: there is none. */
  inspect(): Promise<BackupFound | undefined>
  /** True: there was something. */
  remove(): Promise<boolean>
}

/**
 * One member's machine. Every method is idempotent and touches only what carries our label. All throw `UserError` for what the
 * user can cure (no such engine, no such context), and what the machine says otherwise.
 */
export interface Driver {
  /** For people: `docker on ssh://root@10.0.0.1`, `context hub, node n1`. */
  where: string
  paths: MemberPaths
  /** False: it only writes files, and the user starts and stops. The steps then say what to do and wait for it. */
  acts: boolean
  /** In words and commands, of a driver that does not act: `m1: copy ... to 10.0.0.1, then there: systemctl restart etcd-blue`. */
  todo?(work: Handwork): string
  inspect(): Promise<Found>
  /** Writes these files; callers ask `inspect` first whether it is needed. A running etcd reads its pem files anew with the next handshake, `ca.crt` only when it starts. True: something changed. */
  deliver(files: MemberFiles): Promise<boolean>
  /** Makes it run like this. Restarts only where `args`, `image` or `generation` differ, or it does not run. True: it was (re)started. */
  start(launch: Launch): Promise<boolean>
  /** Of a member that runs as it should: puts right what its next start goes by, without a restart. Answers what somebody had changed. */
  mend?(launch: Launch): Promise<string[]>
  /** Stops and starts it as it is. */
  restart(): Promise<void>
  /** SIGTERM and up to 10 s of patience. True: it ran. */
  stop(): Promise<boolean>
  /**
   * Runs `etcdutl` of the image while the member is stopped, in its data's place; `snapshot`, of exactly `sizeBytes` bytes, becomes the file
   * named in `snapshotPath`. Answers what it printed. One that does not act writes what its owner needs for it.
   */
  etcdutl(
    launch: Launch,
    args: (snapshotPath: string) => string[],
    snapshot: AsyncIterable<Uint8Array>,
    sizeBytes: number,
  ): Promise<string>
  /** Removes the data of generations before `generation`. */
  discardBefore(generation: number): Promise<void>
  /** Removes all that is ours. `keepData`: but the data. True: there was something. */
  remove(options: { keepData: boolean }): Promise<boolean>
  /** Undefined: nothing there can, so that the machine that the plugin runs on takes the backups. */
  backups?: BackupDriver | undefined
  /** The newest lines of etcd's log. */
  logs(lines: number): Promise<string>
}
