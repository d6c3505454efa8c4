import { createServer } from 'node:http'
import { argv, stdin, stdout } from 'node:process'
import { buffer } from 'node:stream/consumers'

/**
 * A program: a registry of one image, whose archive it reads from standard input; `node registry.ts PORT`, on 127.0.0.1, which engines
 * trust without TLS. Prints the image's digest when it serves.
 */
const blobs = blobsIn(await buffer(stdin))
const index = JSON.parse(String(blobs.get('index.json'))) as { manifests: { digest: string; mediaType: string }[] }
const [manifest] = index.manifests
if (!manifest) throw new Error('an archive without an image')

const server = createServer((request, response) => {
  const [, kind, reference = ''] = /\/v2\/.+\/(manifests|blobs)\/(.+)$/.exec(request.url ?? '') ?? []
  if (!kind) return response.end('{}')
  const digest = reference.startsWith('sha256:') ? reference : manifest.digest
  const content = blobs.get(`blobs/${digest.replace(':', '/')}`)
  if (!content) return response.writeHead(404).end()
  response.writeHead(200, {
    'Content-Type': kind === 'manifests' ? manifest.mediaType : 'application/octet-stream',
    'Content-Length': content.length,
    'Docker-Content-Digest': digest,
  })
  response.end(request.method === 'HEAD' ? undefined : content)
})
server.listen(Number(argv[2]), '127.0.0.1', () => stdout.write(`${manifest.digest}\n`))

/** The plain files of a tar archive. */
function blobsIn(archive: Buffer): Map<string, Buffer> {
  const found = new Map<string, Buffer>()
  for (let at = 0; archive[at]; ) {
    const text = (from: number, length: number) =>
      archive.toString('utf8', at + from, at + from + length).split('\0')[0]
    const size = Number.parseInt(text(124, 12) ?? '', 8)
    found.set(text(0, 100) ?? '', archive.subarray(at + 512, at + 512 + size))
    at += 512 + Math.ceil(size / 512) * 512
  }
  return found
}
