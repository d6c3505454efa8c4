/** One entry's header in the ustar format. */
export interface TarEntry {
  /** Without a leading slash. At most 100 bytes, or splittable into a prefix of 155 and a name of 100. */
  path: string
  type?: 'file' | 'folder' | 'link'
  /** Bytes that follow the header. */
  size?: number
  mode?: number
  /** What a symbolic link points at. */
  target?: string
}

const block = 512
const types = { file: '0', folder: '5', link: '2' }

/** 512 bytes. Owner root, time 0: the same input gives the same bytes. Throws when the path is too long for ustar. */
export function tarHeader({ path, type = 'file', size = 0, mode, target = '' }: TarEntry): Buffer {
  const { prefix, name } = splitPath(path)
  const header = Buffer.alloc(block)
  header.write(name, 0, 100)
  octal(header, mode ?? (type === 'folder' ? 0o755 : 0o644), 100, 8)
  octal(header, 0, 108, 8)
  octal(header, 0, 116, 8)
  octal(header, size, 124, 12)
  octal(header, 0, 136, 12)
  header.write('        ', 148)
  header.write(types[type], 156)
  header.write(target, 157, 100)
  header.write('ustar\x0000', 257)
  header.write('root', 265)
  header.write('root', 297)
  header.write(prefix, 345, 155)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

/** Zeros that fill `size` bytes of content up to a whole block. */
export const tarPadding = (size: number): Buffer => Buffer.alloc((block - (size % block)) % block)

/** Two empty blocks. */
export const tarEnd = (): Buffer => Buffer.alloc(2 * block)

/** Header, content and padding of a small file. */
export const tarFile = (path: string, content: Buffer, mode?: number): Buffer =>
  Buffer.concat([
    tarHeader({ path, size: content.length, ...(mode === undefined ? {} : { mode }) }),
    content,
    tarPadding(content.length),
  ])

const octal = (header: Buffer, value: number, offset: number, width: number): void => {
  header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, offset)
}

function splitPath(path: string): { prefix: string; name: string } {
  if (Buffer.byteLength(path) <= 100) return { prefix: '', name: path }
  for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)]
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return { prefix, name }
  }
  throw new Error(`path too long for a tar archive: ${path}`)
}
