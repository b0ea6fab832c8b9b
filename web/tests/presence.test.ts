import { describe, expect, it } from 'vitest'
import { Activity } from '../src/services/activity.js'
import { initials, peopleOf, personColour } from '../src/services/presence.js'

const state = (id: string, more: object = {}) => ({
  user: { id, name: id, color: '#bf4213' },
  status: 'active',
  ...more,
})

describe('people', () => {
  it('one entry a person; the liveliest tab speaks', () => {
    const people = peopleOf(
      new Map<number, unknown>([
        [1, state('anna', { status: 'away', field: 'name', last: 100 })],
        [2, state('anna', { field: 'content.summary', last: 50 })],
        [3, state('bo', { status: 'idle' })],
        [4, state('me')],
      ]),
      'me',
    )
    expect(people).toMatchObject([
      {
        user: 'anna',
        tabs: 2,
        status: 'active',
        field: 'content.summary',
        lastActive: 100_000,
        colour: 1,
        self: false,
      },
      { user: 'bo', tabs: 1, status: 'idle' },
      { user: 'me', self: true },
    ])
  })

  it('s3_hostile_states_are_dropped_or_cut', () => {
    const hostile: unknown[] = [null, 3, [], {}, { user: null }, { user: { id: 7 } }, { user: { name: '' } }]
    expect(peopleOf(new Map(hostile.map((s, i) => [i, s])), 'me')).toEqual([])
    const [long] = peopleOf(
      new Map([
        [
          1,
          {
            user: { id: 'x'.repeat(9999), name: '<b>'.repeat(999), color: 'red;background:url(x)' },
            status: 'boss',
            field: {},
            last: 'x',
          },
        ],
      ]),
      'me',
    )
    expect(long!.name.length).toBeLessThanOrEqual(64)
    expect(long!.user.length).toBeLessThanOrEqual(128)
    expect(long).toMatchObject({ status: 'active', field: null, lastActive: 0 })
    expect(long!.colour).toBeGreaterThanOrEqual(0)
    expect(long!.colour).toBeLessThan(8)
  })

  it('knows the colours of the server and always finds one', () => {
    expect(personColour('#C1195C', 'x')).toBe(7)
    expect(personColour(undefined, 'anna')).toBe(personColour('nonsense', 'anna'))
  })

  it('makes initials of any name', () => {
    expect([initials('Anna'), initials('Bo van Dyk'), initials(''), initials('李 小龍'), initials('a')]).toEqual([
      'AN',
      'BD',
      '?',
      '李小',
      'A',
    ])
  })
})

describe('activity', () => {
  it('is active, idle after two minutes or half a minute hidden, away after ten', () => {
    const activity = new Activity(0)
    expect(activity.status(119_000)).toBe('active')
    expect(activity.status(120_000)).toBe('idle')
    expect(activity.status(600_000)).toBe('away')
    activity.input(600_000)
    activity.hidden(601_000)
    expect(activity.status(630_000)).toBe('active')
    expect(activity.status(631_000)).toBe('idle')
    expect(activity.hiddenMs(701_000)).toBe(100_000)
    activity.shown(702_000)
    expect(activity.status(703_000)).toBe('active')
  })
})
