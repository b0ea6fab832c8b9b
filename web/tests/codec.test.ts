import { describe, expect, it } from 'vitest'
import * as codec from '../src/protocol/codec.js'
import { parseMessage } from '../src/protocol/messages.js'
import { saveState, saveStateUntil, type SaveFacts } from '../src/protocol/saving.js'

const bytes = (...n: number[]) => new Uint8Array(n)

describe('codec', () => {
  it('speaks the framing of HocuspocusProvider', () => {
    expect(codec.encodeAuth('r')).toEqual(bytes(1, 114, 2, 0, 0))
    expect(codec.encodeStep1('r', bytes(0))).toEqual(bytes(1, 114, 0, 0, 1, 0))
    expect(codec.encodeStep2('r', bytes(0, 0))).toEqual(bytes(1, 114, 0, 1, 2, 0, 0))
    expect(codec.encodeUpdate('r', bytes(5))).toEqual(bytes(1, 114, 0, 2, 1, 5))
    expect(codec.decodeFrame(bytes(1, 114, 2, 2, 8, ...[...'readonly'].map((c) => c.charCodeAt(0))))).toEqual({
      kind: 'granted',
      room: 'r',
      scope: 'readonly',
    })
    expect(codec.decodeFrame(bytes(1, 114, 2, 1, 2, 110, 111))).toEqual({ kind: 'denied', room: 'r', reason: 'no' })
    expect(codec.decodeFrame(bytes(1, 114, 8, 1))).toEqual({ kind: 'status', room: 'r', saved: true })
    expect(codec.decodeFrame(bytes(9))).toEqual({ kind: 'ping' })
  })

  it('survives every truncation and unknown kinds', () => {
    const whole = codec.encodeUpdate('atom:atom-bo-loan-décision', bytes(1, 2, 3, 4))
    for (let n = 0; n < whole.length; n++) expect(codec.decodeFrame(whole.slice(0, n))).toBeNull()
    expect(codec.decodeFrame(whole)).toMatchObject({ kind: 'update' })
    expect(codec.decodeFrame(bytes(1, 114, 99))).toBeNull()
    expect(codec.decodeFrame(bytes(7))).toBeNull()
  })

  it('reads text frames with suspicion', () => {
    expect(parseMessage('{')).toBeNull()
    expect(parseMessage('[]')).toBeNull()
    expect(parseMessage('{"type":"workspace","people":[{"user":"anna","name":7,"status":"<b>"},null,3]}')).toEqual({
      type: 'workspace',
      people: [{ user: 'anna', name: 'anna', colour: '', room: null, status: 'active', since: 0 }],
    })
    expect(parseMessage('{"type":"entities","changed":[{"kind":"atom","id":"x"},{"kind":"atom"}]}')).toEqual({
      type: 'entities',
      changed: [{ kind: 'atom', id: 'x' }],
    })
  })
})

describe('saving', () => {
  const base: SaveFacts = {
    unsaved: 0,
    unsavedSince: 0,
    connected: true,
    disconnectedSince: 0,
    loaded: true,
    readOnly: null,
    kept: true,
  }

  it('never says saved before the acknowledgement', () => {
    expect(saveState(base, 0)).toEqual({ kind: 'saved' })
    for (const now of [0, 399, 400, 60_000]) expect(saveState({ ...base, unsaved: 1 }, now).kind).not.toBe('saved')
    expect(saveState({ ...base, connected: false, disconnectedSince: 0 }, 60_000).kind).toBe('offline')
    expect(saveState({ ...base, loaded: false }, 0).kind).toBe('loading')
  })

  it('says saving only after 400 ms, offline only after 5 s', () => {
    expect(saveState({ ...base, unsaved: 2, unsavedSince: 1000 }, 1399)).toEqual({ kind: 'pending' })
    expect(saveState({ ...base, unsaved: 2, unsavedSince: 1000 }, 1400)).toEqual({ kind: 'saving', unsaved: 2 })
    expect(saveStateUntil({ ...base, unsaved: 2, unsavedSince: 1000 }, 1100)).toBe(1400)
    const gone = { ...base, unsaved: 3, connected: false, disconnectedSince: 1000 }
    expect(saveState(gone, 5999)).toEqual({ kind: 'reconnecting', unsaved: 3 })
    expect(saveState(gone, 6000)).toEqual({ kind: 'offline', unsaved: 3 })
    expect(saveStateUntil(gone, 2000)).toBe(6000)
  })

  it('is alarmed when nothing can be kept', () => {
    expect(saveState({ ...base, unsaved: 1, connected: false, kept: false }, 0)).toEqual({
      kind: 'at-risk',
      unsaved: 1,
    })
  })

  it('gives the reason when it is read-only', () => {
    expect(saveState({ ...base, readOnly: 'The disk is full.' }, 0)).toEqual({
      kind: 'readonly',
      reason: 'The disk is full.',
    })
  })
})
