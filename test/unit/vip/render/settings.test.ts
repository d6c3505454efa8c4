import { expect, test } from 'vitest'
import { UserError } from '../../../../src/errors.ts'
import { type Given, settingsFrom } from '../../../../src/vip/render/settings.ts'
import { defaultSettings } from '../../../../src/vip/settings.ts'

const given = (more: Partial<Given>): Given => ({
  vip: '198.18.0.1',
  servers: '10.0.0.1:6443,10.0.0.2:6443',
  port: undefined,
  scheduler: undefined,
  tlsServerName: undefined,
  ...more,
})

test('the port is the one of the API servers, unless said', () => {
  const staticServers = ['10.0.0.1:8443', '10.0.0.2:6443']
  const servers = ' 10.0.0.1:8443, 10.0.0.2:6443,'
  expect(settingsFrom(given({ servers }))).toEqual({ ...defaultSettings, vip: '198.18.0.1', port: 8443, staticServers })
  expect(settingsFrom(given({ servers, port: 443, scheduler: 'rr' }))).toMatchObject({ port: 443, scheduler: 'rr' })
})

test.each<[Partial<Given>, string]>([
  [{ vip: undefined }, 'which address is to be the virtual IP?'],
  [{ vip: 'api.example.com' }, 'vip is not an IP address: api.example.com'],
  [{ servers: undefined }, 'which API servers is it to lead to?'],
  [{ servers: ' , ' }, 'which API servers is it to lead to?'],
  [{ servers: '10.0.0.1:6443,master2:6443' }, '--servers: master2:6443 is not an IP address and a port'],
  [{ servers: '10.0.0.1' }, '--servers: 10.0.0.1 is not an IP address and a port'],
  [{ servers: '10.0.0.1:66443' }, '--servers: 10.0.0.1:66443 is not an IP address and a port'],
  [{ servers: '[fd00::1]:6443' }, 'is of another IP family than 198.18.0.1'],
  [{ servers: '10.0.0.1:6443,198.18.0.1:6443' }, '198.18.0.1:6443 is the virtual IP itself'],
])('%j is refused in one line, with a hint', (more, why) => {
  const refused = (() => {
    try {
      return settingsFrom(given(more))
    } catch (error) {
      return error
    }
  })()
  expect(refused).toBeInstanceOf(UserError)
  const { message, hint } = refused as UserError
  expect(message).toContain(why)
  expect(message).not.toContain('\n')
  expect(hint).toMatch(/:6443/)
})
