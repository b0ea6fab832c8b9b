/**
 * From the raw awareness states of a room to people: one entry per person, whatever the number of
 * tabs. States come from others and are read with suspicion.
 */
import { isRecord, moment, text, type Status } from '../protocol/messages.js'

export type Person = {
  user: string
  name: string
  colour: number // 0 to 7: which of the person colours
  status: Status
  field: string | null // where the caret is
  lastActive: number // Unix ms, 0: unknown
  tabs: number
  self: boolean
}

/** The colours the server hands out, light and dark, in the order of the tokens --person-0 … 7. */
const COLOURS = [
  ['#0462d3', '#86b6fd'],
  ['#bf4213', '#fea387'],
  ['#00736e', '#7abcb7'],
  ['#872d8e', '#cd88d0'],
  ['#4c701a', '#9bba7d'],
  ['#906106', '#d7b07b'],
  ['#4a2dad', '#8d87e9'],
  ['#c1195c', '#ff91ac'],
] as const

export const personColour = (colour: unknown, user: string): number => {
  const hex = typeof colour === 'string' ? colour.toLowerCase() : ''
  const known = COLOURS.findIndex((pair) => (pair as readonly string[]).includes(hex))
  if (known >= 0) return known
  let hash = 0
  for (const character of user) hash = (hash * 31 + character.codePointAt(0)!) >>> 0
  return hash % COLOURS.length
}

export const initials = (name: string): string => {
  const words = name
    .trim()
    .split(/[\s._-]+/)
    .filter(Boolean)
  const letters =
    words.length > 1 ? [words[0]!, words[words.length - 1]!].map((w) => [...w][0]!) : [...(words[0] ?? '?')].slice(0, 2)
  return letters.join('').toUpperCase()
}

const RANK: Record<Status, number> = { active: 0, idle: 1, away: 2 }

const readState = (state: unknown, self: string): Omit<Person, 'tabs'> | null => {
  if (!isRecord(state) || !isRecord(state['user'])) return null
  const user = state['user']
  const name = text(user['name'], 64)
  const id = text(user['id'] ?? user['user_id'], 128) || name
  if (!id) return null
  const status = state['status'] === 'idle' || state['status'] === 'away' ? state['status'] : 'active'
  return {
    user: id,
    name: name || id,
    colour: personColour(user['color'] ?? user['colour'], id),
    status,
    field: text(state['field'], 300) || null,
    lastActive: moment(state['last']),
    self: id === self,
  }
}

/** Everybody in the room, one entry a person; the liveliest tab speaks for its person. */
export const peopleOf = (states: ReadonlyMap<number, unknown>, self: string): Person[] => {
  const people = new Map<string, Person>()
  for (const state of states.values()) {
    const one = readState(state, self)
    if (!one) continue
    const other = people.get(one.user)
    if (!other) people.set(one.user, { ...one, tabs: 1 })
    else {
      const first =
        RANK[one.status] < RANK[other.status] ||
        (one.status === other.status && one.field !== null && other.field === null)
      const lastActive = Math.max(one.lastActive, other.lastActive)
      people.set(one.user, { ...(first ? one : other), tabs: other.tabs + 1, lastActive })
    }
  }
  return [...people.values()].sort(
    (a, b) => Number(a.self) - Number(b.self) || RANK[a.status] - RANK[b.status] || (a.name < b.name ? -1 : 1),
  )
}

/** Who has the caret in a field, myself excluded. */
export const editorsOf = (states: ReadonlyMap<number, unknown>, self: string, field: string): Person[] =>
  peopleOf(new Map([...states].filter(([, s]) => isRecord(s) && s['field'] === field)), self).filter((p) => !p.self)
