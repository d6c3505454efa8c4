/** A file, or a folder without content, of an initial RAM disk. */
export interface CpioEntry {
  path: string
  mode: number
  content?: Buffer
}

const magic = '070701'
const [folderType, fileType] = [0o040000, 0o100000]

/** An archive as the Linux kernel unpacks it into its first root (cpio's "newc"). Folders stand before what is in them. Pure. */
export function cpioArchive(entries: CpioEntry[]): Buffer {
  const parts = entries.map(({ path, mode, content }, index) =>
    entry(path, index + 1, mode | (content ? fileType : folderType), content ?? Buffer.alloc(0)),
  )
  return Buffer.concat([...parts, entry('TRAILER!!!', 0, 0, Buffer.alloc(0))])
}

function entry(path: string, inode: number, mode: number, content: Buffer): Buffer {
  const name = Buffer.from(`${path}\0`)
  // inode, mode, uid, gid, links, time, size, device (4 numbers), length of the name, checksum
  const numbers = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0]
  const header = Buffer.from(magic + numbers.map(number => number.toString(16).padStart(8, '0')).join(''))
  return Buffer.concat([padded(Buffer.concat([header, name])), padded(content)])
}

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)])
