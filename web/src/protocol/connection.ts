/**
 * The life of the connection as a pure state machine: state and event in, next state out. It owns
 * no timer, no socket and no dice; whoever drives it reads `status` and acts. So a test can run
 * through a week of bad Wi-Fi in a millisecond.
 */
export type Connection =
  | { status: 'closed' } // we do not want to be connected
  | { status: 'connecting'; attempts: number }
  | { status: 'open'; attempts: number } // attempts fall to 0 once the connection has held
  | { status: 'waiting'; attempts: number; delayMs: number } // until the next attempt
  | { status: 'asleep' } // hidden for long; comes back with the tab
  | { status: 'locked' } // the session was idle for too long; the person unlocks it
  | { status: 'refused'; refusal: Refusal } // trying again would not help

export type Refusal = 'signed-out' | 'denied' | 'not-found' | 'replaced' | 'refused'

export type ConnectionEvent =
  | { type: 'connect' }
  | { type: 'disconnect' }
  | { type: 'opened' }
  | { type: 'held' } // open for HELD_MS: the line is good again
  | { type: 'lost'; code: number; dice: number } // dice: [0, 1)
  | { type: 'retry' }
  | { type: 'hurry' } // the network or the person came back: now rather than later
  | { type: 'sleep' }
  | { type: 'wake' }

const FIRST_CEILING_MS = 200
const LAST_CEILING_MS = 8000
export const HELD_MS = 5000

/** What the close codes of the server that end it mean; every other 44xx is a plain refusal. */
const REFUSALS: Readonly<Record<number, Refusal>> = {
  4401: 'signed-out',
  4403: 'denied',
  4404: 'not-found',
  4410: 'replaced',
}
const IDLE_SESSION = 4408

export const nextConnection = (state: Connection, event: ConnectionEvent): Connection => {
  switch (event.type) {
    case 'connect':
      return isStopped(state) ? { status: 'connecting', attempts: 0 } : state
    case 'disconnect':
      return { status: 'closed' }
    case 'opened':
      return state.status === 'connecting' ? { status: 'open', attempts: state.attempts } : state
    case 'held':
      return state.status === 'open' && state.attempts > 0 ? { status: 'open', attempts: 0 } : state
    case 'lost':
      return lost(state, event.code, event.dice)
    case 'retry':
    case 'hurry':
      return state.status === 'waiting' ? { status: 'connecting', attempts: state.attempts } : state
    case 'sleep':
      return isStopped(state) ? state : { status: 'asleep' }
    case 'wake':
      return state.status === 'asleep' ? { status: 'connecting', attempts: 0 } : state
  }
}

const isStopped = (state: Connection): boolean =>
  state.status === 'closed' || state.status === 'refused' || state.status === 'locked'

const lost = (state: Connection, code: number, dice: number): Connection => {
  if (state.status !== 'connecting' && state.status !== 'open') return state
  if (code === IDLE_SESSION) return { status: 'locked' }
  if (code >= 4400 && code < 4500) return { status: 'refused', refusal: REFUSALS[code] ?? 'refused' }
  const attempts = state.attempts + 1
  return { status: 'waiting', attempts, delayMs: Math.round(dice * ceilingMs(attempts)) }
}

/** Full jitter: anywhere from nothing to a ceiling that doubles, so a crowd does not return in step. */
const ceilingMs = (attempts: number): number =>
  Math.min(LAST_CEILING_MS, FIRST_CEILING_MS * 2 ** Math.min(attempts - 1, 16))
