import { describe, expect, it } from 'vitest'
import { nextConnection, type Connection, type ConnectionEvent } from '../src/protocol/connection.js'

const start: Connection = { status: 'closed' }
const after = (...events: ConnectionEvent[]): Connection => events.reduce(nextConnection, start)
const connect: ConnectionEvent = { type: 'connect' }
const opened: ConnectionEvent = { type: 'opened' }
const retry: ConnectionEvent = { type: 'retry' }
const lost = (code = 1006, dice = 1): ConnectionEvent => ({ type: 'lost', code, dice })

describe('connection', () => {
  it('opens, is lost, and waits at most 0.2 s the first time', () => {
    expect(after(connect, opened)).toEqual({ status: 'open', attempts: 0 })
    expect(after(connect, opened, lost())).toEqual({ status: 'waiting', attempts: 1, delayMs: 200 })
  })

  it('doubles its ceiling to 8 s and stays there', () => {
    const ceilings: number[] = []
    let state = after(connect)
    for (let i = 0; i < 12; i++) {
      state = nextConnection(state, lost())
      if (state.status === 'waiting') ceilings.push(state.delayMs)
      state = nextConnection(state, retry)
    }
    expect(ceilings).toEqual([200, 400, 800, 1600, 3200, 6400, 8000, 8000, 8000, 8000, 8000, 8000])
  })

  it('waits anywhere below the ceiling', () => {
    expect(after(connect, lost(1006, 0))).toEqual({ status: 'waiting', attempts: 1, delayMs: 0 })
    expect(after(connect, lost(1006, 0.5))).toEqual({ status: 'waiting', attempts: 1, delayMs: 100 })
  })

  it('forgets the failures only once a connection has held', () => {
    expect(after(connect, lost(), retry, opened, lost())).toMatchObject({ status: 'waiting', attempts: 2 })
    expect(after(connect, lost(), retry, opened, { type: 'held' }, lost())).toMatchObject({
      status: 'waiting',
      attempts: 1,
    })
  })

  it('tries at once when the network or the person comes back', () => {
    expect(after(connect, lost(), { type: 'hurry' })).toEqual({ status: 'connecting', attempts: 1 })
    expect(after(connect, opened, { type: 'hurry' })).toEqual({ status: 'open', attempts: 0 })
  })

  it('a10_final_codes_are_final', () => {
    const refusals = [
      [4401, 'signed-out'],
      [4403, 'denied'],
      [4404, 'not-found'],
      [4410, 'replaced'],
      [4499, 'refused'],
    ] as const
    for (const [code, refusal] of refusals) {
      const state = after(connect, opened, lost(code))
      expect(state).toEqual({ status: 'refused', refusal })
      for (const event of [retry, { type: 'hurry' } as const, { type: 'wake' } as const, lost(1006)]) {
        expect(nextConnection(state, event)).toBe(state)
      }
      expect(nextConnection(state, connect)).toEqual({ status: 'connecting', attempts: 0 })
    }
  })

  it('a10_transient_codes_are_retried', () => {
    for (const code of [1000, 1001, 1006, 1011, 1012, 1013, 4000, 4399, 4500]) {
      expect(after(connect, opened, lost(code)).status).toBe('waiting')
    }
  })

  it('locks on 4408 until the person unlocks', () => {
    const locked = after(connect, opened, lost(4408))
    expect(locked).toEqual({ status: 'locked' })
    expect(nextConnection(locked, { type: 'hurry' })).toBe(locked)
    expect(nextConnection(locked, connect).status).toBe('connecting')
  })

  it('sleeps while hidden and wakes with the tab', () => {
    const asleep = after(connect, opened, { type: 'sleep' })
    expect(asleep).toEqual({ status: 'asleep' })
    expect(nextConnection(asleep, lost())).toBe(asleep)
    expect(nextConnection(asleep, { type: 'wake' })).toEqual({ status: 'connecting', attempts: 0 })
  })

  it('lives through a week of bad Wi-Fi', () => {
    let seed = 7
    const dice = () => ((seed = (seed * 48271) % 2147483647) - 1) / 2147483646
    let state = after(connect)
    let nowMs = 0
    let openMs = 0
    let longestWait = 0
    let connects = 0
    while (nowMs < 7 * 24 * 3600 * 1000) {
      if (state.status === 'connecting') {
        connects++
        nowMs += 50
        state = nextConnection(state, dice() < 0.4 ? { type: 'lost', code: 1006, dice: dice() } : opened)
      } else if (state.status === 'open') {
        const heldMs = Math.floor(dice() * 600_000)
        nowMs += heldMs
        openMs += heldMs
        if (heldMs > 5000) state = nextConnection(state, { type: 'held' })
        state = nextConnection(state, { type: 'lost', code: dice() < 0.5 ? 1006 : 1012, dice: dice() })
      } else if (state.status === 'waiting') {
        longestWait = Math.max(longestWait, state.delayMs)
        nowMs += state.delayMs
        state = nextConnection(state, retry)
      } else {
        throw new Error(`stuck in ${state.status}`)
      }
    }
    expect(connects).toBeGreaterThan(2000)
    expect(longestWait).toBeLessThanOrEqual(8000)
    expect(openMs / nowMs).toBeGreaterThan(0.99)
  })
})
