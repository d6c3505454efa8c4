import { describe, expect, test } from 'vitest'
import { createArgs, launchIn, runs, wasStarted, whyStopped } from '../../../../src/etcd/drivers/docker/container.ts'
import { skew, whyUnfit } from '../../../../src/etcd/drivers/docker/engine.ts'
import { explainDocker } from '../../../../src/etcd/drivers/docker/errors.ts'
import { pinned } from '../../../../src/etcd/drivers/docker/image.ts'
import { createDockerDriver } from '../../../../src/etcd/drivers/docker/index.ts'
import { launchLabel, namesOf, whyForeign } from '../../../../src/etcd/drivers/docker/names.ts'
import { asBegun } from '../../../../src/etcd/drivers/docker/start.ts'
import { memberSpec } from '../spec.ts'

const names = namesOf('karmada', 'm1')
const launch = {
  member: 'm1',
  version: '3.6.16',
  image: 'example.com/etcd:v3.6.16',
  generation: 2,
  args: ['--name=m1', '--data-dir=/var/lib/etcd/data'],
  bootstrapArgs: ['--initial-cluster-token=life'],
}

describe('the container', () => {
  const args = createArgs(names, launch, { image: 'example.com/etcd@sha256:1', loggingDriver: 'json-file' })

  test('runs the pinned image with all flags, those for the first start too', () => {
    expect(args.slice(args.indexOf('--entrypoint=etcd') + 1)).toEqual([
      'example.com/etcd@sha256:1',
      '--name=m1',
      '--data-dir=/var/lib/etcd/data',
      '--initial-cluster-token=life',
    ])
  })

  test('may do nothing beyond what etcd needs', () => {
    expect(args).toEqual(
      expect.arrayContaining([
        '--network=host',
        '--restart=unless-stopped',
        '--read-only',
        '--cap-drop=ALL',
        '--security-opt=no-new-privileges',
        '--user=65532:65532',
        '--mount=type=volume,source=karmada-net-etcd-karmada-m1-data-2,target=/var/lib/etcd,volume-nocopy',
        '--mount=type=volume,source=karmada-net-etcd-karmada-m1-pki,target=/etc/etcd/pki,volume-nocopy,readonly',
      ]),
    )
  })

  test.each([
    ['json-file', true],
    ['local', true],
    ['journald', false],
  ])('limits its log where the engine does not do so itself (%s)', (loggingDriver, limits) => {
    const made = createArgs(names, launch, { image: 'etcd', loggingDriver })
    expect(made.includes('--log-opt=max-size=10m')).toBe(limits)
  })

  test('remembers in a label what it was made for', () => {
    const label = args.find(arg => arg.startsWith(launchLabel)) ?? ''
    const { version, image, generation } = launch
    expect(JSON.parse(label.slice(launchLabel.length + 1))).toEqual({ version, image, generation, args: launch.args })
    expect(launchIn(container({}, { [launchLabel]: label.slice(launchLabel.length + 1) }))?.generation).toBe(2)
    expect(launchIn(container({}, {}))).toBeUndefined()
  })
})

test('one that has its data is told to begin as new, not to join: with its data lost it would be taken back', () => {
  const begun = asBegun({
    ...launch,
    bootstrapArgs: ['--initial-cluster-state=existing', '--initial-cluster-token=life'],
  })
  expect(begun).toEqual({ ...launch, bootstrapArgs: ['--initial-cluster-state=new', '--initial-cluster-token=life'] })
})

function container(state: object, labels: Record<string, string> | null = null) {
  const State = {
    Running: false,
    Paused: false,
    Restarting: false,
    OOMKilled: false,
    ExitCode: 0,
    Error: '',
    StartedAt: '2026-11-21T11:00:00Z',
    ...state,
  }
  return { State, Config: { Labels: labels } }
}

test.each([
  ['runs', { Running: true }, { runs: true, why: undefined }],
  ['was stopped', { ExitCode: 0 }, { runs: false, why: undefined }],
  ['was killed because it was asked to stop and did not', { ExitCode: 137 }, { runs: false, why: undefined }],
  ['ends again and again', { Running: true, Restarting: true, ExitCode: 1 }, { runs: false, why: 'exit 1' }],
  ['ran out of memory', { ExitCode: 137, OOMKilled: true }, { runs: false, why: 'killed: out of memory' }],
  ['is paused', { Running: true, Paused: true }, { runs: false, why: 'paused' }],
  ['never began', { ExitCode: 127, Error: 'no "etcd" in $PATH' }, { runs: false, why: 'no "etcd" in $PATH' }],
])('a container that %s', (_, state, { runs: running, why }) => {
  expect(runs(container(state))).toBe(running)
  expect(whyStopped(container(state))).toBe(why)
})

test('one that was only created was never started', () => {
  expect(wasStarted(container({ StartedAt: '0001-01-01T00:00:00Z' }))).toBe(false)
  expect(wasStarted(container({}))).toBe(true)
})

describe('names', () => {
  test('of a volume tell its generation', () => {
    expect(names.generationOf(names.dataVolume(12))).toBe(12)
    expect(names.generationOf('karmada-net-etcd-karmada-m1-data-old')).toBeUndefined()
    expect(names.generationOf('karmada-net-etcd-karmada-m10-data-1')).toBeUndefined()
  })

  test('that two members share are told apart by their labels', () => {
    const [one, other] = [namesOf('a', 'b-c'), namesOf('a-b', 'c')]
    expect(one.container).toBe(other.container)
    expect(whyForeign('container "x"', other.labels, one)).toBe('container "x" belongs to member c of etcd a-b')
    expect(whyForeign('container "x"', one.labels, one)).toBeUndefined()
    expect(whyForeign('container "x"', {}, one)).toBe('container "x" was not made by this plugin')
  })

  test('of helpers cannot be those of a neighbour', () => {
    expect([names.next, names.files, names.etcdutl].every(name => name.includes('.'))).toBe(true)
  })
})

test.each([
  ['gcr.io/x/etcd:v3.6.16', ['gcr.io/x/etcd@sha256:aa'], 'gcr.io/x/etcd@sha256:aa'],
  ['mirror:5000/etcd:v3.6.16', ['gcr.io/x/etcd@sha256:aa', 'mirror:5000/etcd@sha256:bb'], 'mirror:5000/etcd@sha256:bb'],
  ['docker.io/bitnami/etcd:3', ['bitnami/etcd@sha256:cc'], 'bitnami/etcd@sha256:cc'],
  ['gcr.io/x/etcd@sha256:aa', ['gcr.io/x/etcd@sha256:bb'], 'gcr.io/x/etcd@sha256:aa'],
  ['gcr.io/x/etcd:v3.6.16', [], 'gcr.io/x/etcd:v3.6.16'],
  ['gcr.io/x/etcd:v3.6.16', null, 'gcr.io/x/etcd:v3.6.16'],
])('%s is pinned by what the engine knows of it', (reference, RepoDigests, result) => {
  expect(pinned(reference, { RepoDigests })).toBe(result)
})

describe('an engine', () => {
  test.each([
    ['2026-11-21T11:00:05.5Z', 0],
    ['2026-11-21T11:00:04Z', -1000],
    ['2026-11-21T12:00:06.000000000+01:00', 0],
    ['2026-11-21T11:01:06Z', 60_000],
    [undefined, 0],
  ])('clock %s, asked at :05 and answered at :06', (time, expected) => {
    const asked = Date.parse('2026-11-21T11:00:05Z')
    expect(skew(time, { asked, answered: asked + 1000 })).toBe(expected)
  })

  test.each([
    [{ ServerVersion: '20.10.24+dfsg1', OSType: 'linux', SecurityOptions: ['name=seccomp'] }, undefined],
    [{ ServerVersion: '19.03.15' }, 'its engine is 19.03.15; 20.10 or newer is needed'],
    [{ ServerVersion: '28.2.2', OSType: 'windows' }, 'its engine runs windows containers; etcd needs linux'],
    [
      { ServerVersion: '28.2.2', OSType: 'linux', SecurityOptions: ['name=seccomp', 'name=rootless'] },
      "its engine is rootless, so its host network is not the machine's",
    ],
  ])('%o', (info, why) => expect(whyUnfit(info)).toBe(why))
})

test.each([
  [
    'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    'no engine answers: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    'docker -H HOST version',
  ],
  [
    'error during connect: Get "http://docker.example.com/v1.50/info": command [ssh -o ConnectTimeout=30 -T -l root -- 10.0.0.1 docker system dial-stdio] has exited with exit status 255, make sure the URL is valid, and Docker 18.09 or later is installed on the remote host: stderr=ssh: connect to host 10.0.0.1 port 22: Connection refused',
    'ssh: connect to host 10.0.0.1 port 22: Connection refused',
    'this must work: ssh -o ConnectTimeout=30 -l root -- 10.0.0.1 docker version',
  ],
  [
    'error during connect: Get "http://docker.example.com/v1.50/info": command [ssh -o ConnectTimeout=30 -T -l root -- 10.0.0.1 docker system dial-stdio] has exited with exit status 255, make sure the URL is valid, and Docker 18.09 or later is installed on the remote host: stderr=root@10.0.0.1: Permission denied (publickey).',
    'root@10.0.0.1: Permission denied (publickey).',
    'ssh must let you in without a question, by a key that it or its agent has: ssh -o ConnectTimeout=30 -l root -- 10.0.0.1 docker version',
  ],
  [
    'error during connect: Get "http://docker.example.com/v1.50/info": command [ssh -o ConnectTimeout=30 -T -l root -- 10.0.0.1 docker system dial-stdio] has exited with exit status 255, make sure the URL is valid, and Docker 18.09 or later is installed on the remote host: stderr=No ED25519 host key is known for 10.0.0.1 and you have requested strict checking.\nHost key verification failed.',
    'its host key is not known here',
    'look at it and accept it, once by hand: ssh -o ConnectTimeout=30 -l root -- 10.0.0.1 docker version',
  ],
  [
    'error during connect: Get "http://docker.example.com/v1.50/info": command [ssh -o ConnectTimeout=30 -T -l root -- 10.0.0.1 docker system dial-stdio] has exited with exit status 255, make sure the URL is valid, and Docker 18.09 or later is installed on the remote host: stderr=@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nOffending ED25519 key in /root/.ssh/known_hosts:1\n  remove with:\n  ssh-keygen -f "/root/.ssh/known_hosts" -R "10.0.0.1"\nHost key for 10.0.0.1 has changed and you have requested strict checking.\nHost key verification failed.',
    'its host key is not the one that was known: another machine answers, or it was installed anew',
    'only if it was: ssh-keygen -f "/root/.ssh/known_hosts" -R "10.0.0.1"   then once by hand: ssh -o ConnectTimeout=30 -l root -- 10.0.0.1 docker version',
  ],
  [
    'Failed to initialize: unable to resolve docker endpoint: context "far": context not found: open /home/alice/.docker/contexts/meta/ca/meta.json: no such file or directory',
    'there is no docker context "far"',
    'docker context ls',
  ],
  [
    'unable to resolve docker endpoint: context "far" does not exist',
    'there is no docker context "far"',
    'docker context ls',
  ],
  [
    'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: dial unix /var/run/docker.sock: connect: permission denied',
    'you may not talk to the engine',
    'be of its group "docker" (usermod -aG docker USER, log in again), or root',
  ],
  [
    'Error response from daemon: client version 1.24 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version',
    'docker here and its engine do not understand each other: client version 1.24 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version',
    'update the older of the two',
  ],
  [
    "unknown flag: --pull\nSee 'docker create --help'.\n\nUsage:  docker create [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nRun 'docker create --help' for more information",
    'create: unknown flag: --pull',
    undefined,
  ],
  [
    'Error response from daemon: mkdir /var/lib/docker/overlay2/6b/merged: no space left on device\nError: failed to start containers: karmada-net-etcd-karmada-m1\n',
    'create: mkdir /var/lib/docker/overlay2/6b/merged: no space left on device',
    "make room where the engine keeps its data: docker -H HOST info -f '{{.DockerRootDir}}'",
  ],
  ['', 'create: it says nothing', undefined],
])('docker says: %s', (stderr, message, hint) => {
  const error = explainDocker(stderr, { where: 'docker on HOST', command: 'docker -H HOST', verb: 'create' })
  expect(error.message).toBe(`docker on HOST: ${message}`)
  expect(error.hint).toBe(hint)
})

test('where there is no docker, that is said', async () => {
  const driver = createDockerDriver('karmada', memberSpec('m1'), {
    env: { PATH: '/nonexistent' },
    signal: new AbortController().signal,
  })
  await expect(driver.inspect()).rejects.toMatchObject({
    name: 'UserError',
    message: 'docker is not installed here: no program "docker" in the PATH',
  })
})

test.each([
  [{ kind: 'docker' as const }, 'docker'],
  [{ kind: 'docker' as const, host: 'ssh://root@10.0.0.1' }, 'docker on ssh://root@10.0.0.1'],
  [{ kind: 'docker' as const, context: 'far' }, 'docker context far'],
])('%o is called %s', (driver, where) => {
  const options = { env: {}, signal: new AbortController().signal }
  expect(createDockerDriver('karmada', memberSpec('m1', { driver }), options).where).toBe(where)
})
