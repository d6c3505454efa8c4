/** One entry of a tar stream. */
export interface TarEntry {
  /** Without a leading slash. At most 100 bytes. */
  path: string
  type: 'file' | 'folder' | 'link'
  mode: number
  /** User and group. */
  owner: number
  /** Bytes that follow the header, of a file. */
  sizeBytes?: number | undefined
  /** What a symbolic link points at. */
  target?: string | undefined
}

const block = 512
const types = { file: '0', link: '2', folder: '5' }
/** What eleven octal digits hold. */
const octalLimit = 8 ** 11

/** 512 bytes in the ustar format, time 0. Throws when the path is too long for it. */
export function tarHeader({ path, type, mode, owner, sizeBytes = 0, target = '' }: TarEntry): Buffer {
  const header = Buffer.alloc(block)
  if (header.write(path, 0) > 100) throw new Error(`path too long for a tar stream: ${path}`)
  octal(header, mode, 100, 8)
  octal(header, owner, 108, 8)
  octal(header, owner, 116, 8)
  size(header, sizeBytes)
  octal(header, 0, 136, 12)
  header.write('        ', 148)
  header.write(types[type], 156)
  header.write(target, 157, 100)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

/** Header, content and padding of a small file. */
export const tarFile = (entry: Omit<TarEntry, 'type' | 'sizeBytes'>, content: string): Buffer => {
  const bytes = Buffer.from(content)
  return Buffer.concat([
    tarHeader({ ...entry, type: 'file', sizeBytes: bytes.length }),
    bytes,
    tarPadding(bytes.length),
  ])
}

/** Zeros that fill content up to a whole block. */
export const tarPadding = (sizeBytes: number): Buffer => Buffer.alloc((block - (sizeBytes % block)) % block)

/** Two empty blocks. */
export const tarEnd = (): Buffer => Buffer.alloc(2 * block)

/** The plain files of a small tar stream, by path. */
export function readTar(stream: Buffer): Map<string, string> {
  const files = new Map<string, string>()
  for (let at = 0; at + block <= stream.length && stream[at] !== 0; ) {
    const header = stream.subarray(at, at + block)
    const length = Number.parseInt(text(header, 124, 12), 8) || 0
    const content = stream.subarray(at + block, at + block + length)
    const type = String.fromCharCode(header[156] ?? 0)
    // Other types are folders, links, and the extended headers that Go writes for times and attributes.
    if (type === '0' || type === '\0') files.set(pathOf(header), content.toString())
    at += block + length + tarPadding(length).length
  }
  return files
}

function pathOf(header: Buffer): string {
  const prefix = text(header, 345, 155)
  return prefix ? `${prefix}/${text(header, 0, 100)}` : text(header, 0, 100)
}

const text = (header: Buffer, from: number, length: number): string =>
  header
    .subarray(from, from + length)
    .toString()
    .replace(/\0.*$/s, '')
    .trim()

const octal = (header: Buffer, value: number, offset: number, width: number): void => {
  header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, offset)
}

/** A file of 8 GiB and more has its size in binary, with the highest bit set: GNU's way, which Go reads. */
function size(header: Buffer, sizeBytes: number): void {
  if (sizeBytes < octalLimit) {
    octal(header, sizeBytes, 124, 12)
  } else {
    header.writeUInt8(0x80, 124)
    header.writeBigUInt64BE(BigInt(sizeBytes), 128)
  }
}
