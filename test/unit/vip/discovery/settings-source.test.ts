import { describe, expect, test } from 'vitest'
import { createSettingsSource } from '../../../../src/vip/discovery/settings-source.ts'

const text = (port: number) => JSON.stringify({ vip: '198.18.0.1', port })
const port = (source: ReturnType<typeof createSettingsSource>) => source.current()?.settings.port

describe('settings come by the API and by a mounted file', () => {
  test('the file is enough', () => {
    const source = createSettingsSource(undefined)
    expect(source.mounted(undefined, false)).toEqual({ changed: false })
    expect(source.mounted(text(1), false)).toEqual({ changed: true })
    expect(source.mounted(text(1), false)).toEqual({ changed: false })
    expect(source.mounted(text(2), false)).toEqual({ changed: true })
    expect(port(source)).toBe(2)
  })

  test('while the API is watched, a file that comes late counts for nothing', () => {
    const source = createSettingsSource(undefined)
    source.mounted(text(1), false)
    expect(source.told(text(2))).toEqual({ changed: true })
    expect(source.told(text(3))).toEqual({ changed: true })
    expect(source.mounted(text(2), true)).toEqual({ changed: false, noted: true })
    expect(port(source)).toBe(3)
    // The API has gone since: that file is still the old one.
    expect(source.mounted(text(2), false)).toEqual({ changed: false })
    expect(source.mounted(text(4), false)).toEqual({ changed: true })
    expect(port(source)).toBe(4)
  })

  test('what was remembered is newer than the file that it was newer than', () => {
    const first = createSettingsSource(undefined)
    first.mounted(text(1), false)
    first.told(text(2))
    const second = createSettingsSource(first.current())
    expect(second.mounted(text(1), false)).toEqual({ changed: false })
    expect(port(second)).toBe(2)
    expect(second.mounted(text(3), false)).toEqual({ changed: true })
  })

  test('what cannot be used changes nothing, is told once, and does not come back as good', () => {
    const source = createSettingsSource(undefined)
    source.mounted(text(1), false)
    expect(source.mounted('{', false).error).toContain('not JSON')
    expect(source.mounted('{', false)).toEqual({ changed: false })
    expect(source.told('{}').error).toContain('vip is missing')
    expect(port(source)).toBe(1)
    expect(source.mounted(text(2), false)).toEqual({ changed: true })
  })
})
