/**
 * The text frames of `/ws/{user_id}`, and what of them this page reads. Everything from the wire is
 * `unknown` until a function here has looked at it.
 */
export type Status = 'active' | 'idle' | 'away'

export type WorkspacePerson = {
  user: string
  name: string
  colour: string
  room: string | null
  status: Status
  since: number // Unix ms
}

export type EntityRef = { kind: string; id: string }

export type ServerMessage =
  | { type: 'workspace'; people: readonly WorkspacePerson[] }
  | { type: 'entities'; changed: readonly EntityRef[] }
  | { type: 'rebase'; room: string; reason: string }
  | { type: 'readonly'; room: string; reason: string } // '' : may be edited again
  | { type: 'lineage'; room: string; lineage: string }
  | { type: 'error'; code: string; detail: string; room: string }

export type ClientMessage =
  | { type: 'join'; room: string }
  | { type: 'leave'; room: string }
  | { type: 'heartbeat'; status: Status }
  | { type: 'status'; status: Status }

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const text = (value: unknown, max = 200): string => (typeof value === 'string' ? value.slice(0, max) : '')

const status = (value: unknown): Status => (value === 'idle' || value === 'away' ? value : 'active')

/** Seconds, milliseconds or an ISO date: the moment in Unix ms, 0 when it is none of them. */
export const moment = (value: unknown): number => {
  if (typeof value === 'number' && Number.isFinite(value)) return value < 1e11 ? value * 1000 : value
  if (typeof value === 'string') return Date.parse(value) || 0
  return 0
}

const person = (value: unknown): WorkspacePerson | null => {
  if (!isRecord(value)) return null
  const user = text(value['user'] ?? value['user_id'], 128)
  if (!user) return null
  return {
    user,
    name: text(value['name'], 64) || user,
    colour: text(value['colour'] ?? value['color'], 32),
    room: text(value['room'], 700) || null,
    status: status(value['status']),
    since: moment(value['since']),
  }
}

const entity = (value: unknown): EntityRef | null =>
  isRecord(value) && value['kind'] && value['id'] ? { kind: text(value['kind']), id: text(value['id']) } : null

const list = <T>(value: unknown, read: (one: unknown) => T | null): T[] =>
  Array.isArray(value) ? value.map(read).filter((one): one is T => one !== null) : []

export const parseMessage = (data: string): ServerMessage | null => {
  let m: unknown
  try {
    m = JSON.parse(data)
  } catch {
    return null
  }
  if (!isRecord(m)) return null
  const room = text(m['room'] ?? m['room_id'], 700)
  switch (m['type']) {
    case 'workspace':
      return { type: 'workspace', people: list(m['people'], person) }
    case 'entities':
      return { type: 'entities', changed: list(m['changed'], entity) }
    case 'rebase':
      return { type: 'rebase', room, reason: text(m['reason'], 500) }
    case 'readonly':
      return { type: 'readonly', room, reason: text(m['reason'], 500) }
    case 'joined':
      return m['lineage'] ? { type: 'lineage', room, lineage: text(m['lineage']) } : null
    case 'error':
      return { type: 'error', code: text(m['code']), detail: text(m['detail'], 500), room }
    default:
      return null
  }
}
