import { describe, expect, test } from 'vitest'
import { parseSchedule } from '../../../../src/etcd/backup/schedule.ts'

const hourMs = 3_600_000

test.each([
  ['15m', '*/15 * * * *', '*-*-* *:00,15,30,45:00 UTC', 0.25],
  ['1h', '0 * * * *', '*-*-* *:00:00 UTC', 1],
  ['60m', '0 * * * *', '*-*-* *:00:00 UTC', 1],
  ['6h', '0 */6 * * *', '*-*-* 00,06,12,18:00:00 UTC', 6],
  ['12h', '0 0,12 * * *', '*-*-* 00,12:00:00 UTC', 12],
  ['1d', '0 0 * * *', '*-*-* 00:00:00 UTC', 24],
  ['24h', '0 0 * * *', '*-*-* 00:00:00 UTC', 24],
  ['7d', '0 0 * * 0', 'Sun *-*-* 00:00:00 UTC', 7 * 24],
  ['@daily', '0 0 * * *', '*-*-* 00:00:00 UTC', 24],
  ['* * * * *', '* * * * *', '*-*-* *:*:00 UTC', 1 / 60],
  ['30 2 * * *', '30 2 * * *', '*-*-* 02:30:00 UTC', 24],
  ['0 9-17 * * *', '0 9,10,11,12,13,14,15,16,17 * * *', '*-*-* 09,10,11,12,13,14,15,16,17:00:00 UTC', 16],
  ['0 1-23/11 * * *', '0 1,12,23 * * *', '*-*-* 01,12,23:00:00 UTC', 11],
  ['5/20 * * * *', '5,25,45 * * * *', '*-*-* *:05,25,45:00 UTC', 1 / 3],
  ['0 3 * * mon-FRI', '0 3 * * 1,2,3,4,5', 'Mon,Tue,Wed,Thu,Fri *-*-* 03:00:00 UTC', 72],
  ['0 3 * * 5-7', '0 3 * * 0,5,6', 'Sun,Fri,Sat *-*-* 03:00:00 UTC', 5 * 24],
  ['0 0 1 * *', '0 0 1 * *', '*-*-01 00:00:00 UTC', 31 * 24],
  ['0 0 31 * *', '0 0 31 * *', '*-*-31 00:00:00 UTC', 61 * 24],
  ['0 0 29 feb *', '0 0 29 2 *', '*-02-29 00:00:00 UTC', 1461 * 24],
])('%s is %s, and %s for systemd', (text, cron, onCalendar, hours) => {
  expect(parseSchedule(text)).toEqual({ cron, onCalendar, longestGapMs: hours * hourMs })
})

test.each(['6h', '0 9-17/3 * * 1-5', '*/7 * 1,15 * *'])('what %s becomes is read as the same', text => {
  const schedule = parseSchedule(text)
  expect(parseSchedule(schedule.cron)).toEqual(schedule)
})

describe('refused', () => {
  test.each([
    ['5h', 'must divide an hour or a day', '4h, 6h'],
    ['90m', 'must divide an hour or a day', '1h, 2h'],
    ['2d', 'must divide an hour or a day', '1d, 1w'],
    ['0m', 'must divide an hour or a day', '1m'],
    ['6', 'neither a duration such as 6h nor the five fields of cron', '0 */6 * * *'],
    ['', 'neither a duration', '6h'],
    ['@reboot', 'neither a duration', '@daily'],
    ['0 0 */6 * * *', 'neither a duration', '0 */6 * * *'],
    ['CRON_TZ=Asia/Shanghai 0 3 * * *', 'neither a duration', 'as in'],
    ['0 3 1 * 1', 'both or either', 'UTC'],
    ['0 3 */2 * 1', 'both or either', 'UTC'],
    ['0 3 31 2,4 *', 'no year has such a day', 'UTC'],
    ['60 * * * *', 'minute "60" is not within 0 to 59', 'UTC'],
    ['0 17-9 * * *', 'hour "17-9" is not within', 'UTC'],
    ['*/0 * * * *', 'step of 0', 'UTC'],
    ['0 3 L * *', 'day of the month "L" is not understood', 'UTC'],
    ['0 3 * * 1#2', 'day of the week "1#2" is not understood', 'UTC'],
    ['0 3 1-5-9 * *', 'is not understood', 'UTC'],
    ['0 3 ? * *', 'is not understood', 'UTC'],
    ['0 3, * * *', 'hour "" is not understood', 'UTC'],
  ])('%s: %s', (text, why, hint) => {
    expect(() => parseSchedule(text)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(why), hint: expect.stringContaining(hint) }),
    )
  })
})
