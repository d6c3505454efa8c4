/** Length-prefixed messages of gRPC (a byte for compression, four for the length), cut wherever HTTP/2 cut them. */
export interface MessageReader {
  /**
   * The pieces of the bytes field `field` in this chunk, in order; they share its memory. Throws where the stream is none of gRPC's,
   * or compressed.
   */
  pieces(chunk: Uint8Array): Uint8Array[]
  /** Ended in the middle of a message? */
  unfinished(): boolean
}

/** Reads one bytes field out of a stream of protobuf messages without putting the messages together first: they are 32 KiB each. */
export function createMessageReader(field: number): MessageReader {
  let head: number[] = []
  /** Bytes left of the message; undefined: its head is being read. */
  let messageLeft: number | undefined
  let tag: number[] = []
  /** Bytes left of the field that is being read; undefined: its tag and length are being read. */
  let valueLeft: number | undefined
  let wanted = false

  function readHead(byte: number): void {
    head.push(byte)
    if (head.length < 5) return
    const [compressed = 0, ...length] = head
    if (compressed !== 0) throw new Error('the answer is compressed')
    messageLeft = Buffer.from(length).readUInt32BE()
    head = []
  }

  /** Tag and value of a number, or tag and length of bytes. */
  function readTag(byte: number): void {
    tag.push(byte)
    const key = readVarint(tag, 0)
    const value = key && readVarint(tag, key.next)
    if (!key || !value) {
      if (tag.length > 20) throw new Error('the answer is not in protobuf')
      return
    }
    const wireType = key.value & 7
    if (wireType !== 0 && wireType !== 2) throw new Error('the answer has a field of an unknown kind')
    if (wireType === 2 && value.value > 0) {
      valueLeft = value.value
      wanted = key.value >> 3 === field
    }
    tag = []
  }

  return {
    pieces(chunk) {
      const found: Uint8Array[] = []
      let at = 0
      while (at < chunk.length) {
        if (messageLeft === undefined) {
          readHead(chunk[at++] ?? 0)
        } else if (valueLeft === undefined) {
          messageLeft--
          readTag(chunk[at++] ?? 0)
        } else {
          const length = Math.min(valueLeft, chunk.length - at)
          if (wanted) found.push(chunk.subarray(at, at + length))
          at += length
          messageLeft -= length
          valueLeft = valueLeft === length ? undefined : valueLeft - length
        }
        if (messageLeft !== undefined && messageLeft < (valueLeft ?? 0))
          throw new Error('the answer is not in protobuf')
        if (messageLeft === 0) messageLeft = undefined
      }
      return found
    },
    unfinished: () => messageLeft !== undefined || head.length > 0,
  }
}

/** Lengths and field numbers fit a number: messages are far below 2^32 bytes. */
function readVarint(bytes: readonly number[], start: number): { value: number; next: number } | undefined {
  let value = 0
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    value += (byte & 0x7f) * 2 ** (7 * (at - start))
    if (byte < 0x80) return { value, next: at + 1 }
  }
  return undefined
}
