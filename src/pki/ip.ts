import { isIPv4 } from 'node:net'

/** The 4 or 16 bytes of an IP address given as text. */
export function ipBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.replace(/%.*$/, '').split('::')
  const front = groups(head)
  const back = tail === undefined ? [] : groups(tail)
  const zeros = Array<number>(16 - front.length - back.length).fill(0)
  return Buffer.from([...front, ...zeros, ...back])
}

function groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap(group => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}
