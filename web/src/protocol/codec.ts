/**
 * The binary frames of `/ws/{user_id}`: a room's name, then a y-protocols message, in the framing
 * HocuspocusProvider uses. Pure: bytes to values and back. A frame that does not decode is null;
 * the server may be newer than this page.
 */
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

const SYNC = 0,
  AWARENESS = 1,
  AUTH = 2,
  QUERY_AWARENESS = 3,
  SYNC_REPLY = 4,
  CLOSE = 7,
  SYNC_STATUS = 8
const PING = 9,
  PONG = 10
const STEP_1 = 0,
  STEP_2 = 1,
  UPDATE = 2
const AUTH_TOKEN = 0,
  AUTH_DENIED = 1,
  AUTH_GRANTED = 2

export type Frame =
  | { kind: 'ping' }
  | { kind: 'pong' }
  | { kind: 'step1'; room: string; stateVector: Uint8Array }
  | { kind: 'step2'; room: string; update: Uint8Array }
  | { kind: 'update'; room: string; update: Uint8Array }
  | { kind: 'awareness'; room: string; states: Uint8Array }
  | { kind: 'query-awareness'; room: string }
  | { kind: 'granted'; room: string; scope: 'read-write' | 'readonly' }
  | { kind: 'denied'; room: string; reason: string }
  | { kind: 'status'; room: string; saved: boolean }
  | { kind: 'close'; room: string; reason: string }

export const decodeFrame = (bytes: Uint8Array): Frame | null => {
  try {
    if (bytes.length === 1) return bytes[0] === PING ? { kind: 'ping' } : bytes[0] === PONG ? { kind: 'pong' } : null
    const d = decoding.createDecoder(bytes)
    return decodeMessage(d, decoding.readVarString(d))
  } catch {
    return null
  }
}

const decodeMessage = (d: decoding.Decoder, room: string): Frame | null => {
  switch (decoding.readVarUint(d)) {
    case SYNC:
    case SYNC_REPLY:
      return decodeSync(d, room)
    case AWARENESS:
      return { kind: 'awareness', room, states: decoding.readVarUint8Array(d) }
    case AUTH:
      return decodeAuth(d, room)
    case QUERY_AWARENESS:
      return { kind: 'query-awareness', room }
    case CLOSE:
      return { kind: 'close', room, reason: decoding.hasContent(d) ? decoding.readVarString(d) : '' }
    case SYNC_STATUS:
      return { kind: 'status', room, saved: decoding.readVarUint(d) === 1 }
    default:
      return null
  }
}

const decodeSync = (d: decoding.Decoder, room: string): Frame | null => {
  switch (decoding.readVarUint(d)) {
    case STEP_1:
      return { kind: 'step1', room, stateVector: decoding.readVarUint8Array(d) }
    case STEP_2:
      return { kind: 'step2', room, update: decoding.readVarUint8Array(d) }
    case UPDATE:
      return { kind: 'update', room, update: decoding.readVarUint8Array(d) }
    default:
      return null
  }
}

const decodeAuth = (d: decoding.Decoder, room: string): Frame | null => {
  switch (decoding.readVarUint(d)) {
    case AUTH_DENIED:
      return { kind: 'denied', room, reason: decoding.readVarString(d) }
    case AUTH_GRANTED:
      return { kind: 'granted', room, scope: decoding.readVarString(d) === 'readonly' ? 'readonly' : 'read-write' }
    default:
      return null
  }
}

const frame = (room: string, kinds: readonly number[], body?: Uint8Array | string): Uint8Array<ArrayBuffer> => {
  const e = encoding.createEncoder()
  encoding.writeVarString(e, room)
  for (const kind of kinds) encoding.writeVarUint(e, kind)
  if (typeof body === 'string') encoding.writeVarString(e, body)
  else if (body) encoding.writeVarUint8Array(e, body)
  return encoding.toUint8Array(e) as Uint8Array<ArrayBuffer>
}

/** The token stays empty: this page is known by its cookie. */
export const encodeAuth = (room: string) => frame(room, [AUTH, AUTH_TOKEN], '')
export const encodeStep1 = (room: string, stateVector: Uint8Array) => frame(room, [SYNC, STEP_1], stateVector)
export const encodeStep2 = (room: string, update: Uint8Array) => frame(room, [SYNC, STEP_2], update)
export const encodeUpdate = (room: string, update: Uint8Array) => frame(room, [SYNC, UPDATE], update)
export const encodeAwareness = (room: string, states: Uint8Array) => frame(room, [AWARENESS], states)
export const encodeClose = (room: string) => frame(room, [CLOSE], '')
export const PONG_FRAME = new Uint8Array([PONG])
