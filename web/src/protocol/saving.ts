/**
 * What the footer may say about saving. "Saved" means: the server has said that it is on its disk.
 * A pure function of what is known, so that it cannot drift from the truth.
 */
export type SaveFacts = {
  unsaved: number // changes made here that no acknowledgement has covered
  unsavedSince: number // ms, of the oldest of them; meaningless when there are none
  connected: boolean // the room is joined on an open socket
  disconnectedSince: number // ms; 0 while connected
  loaded: boolean // the document is here, from the server or from this device
  readOnly: string | null // why, when it cannot be edited
  kept: boolean // this device can keep changes (IndexedDB works)
}

export type SaveState =
  | { kind: 'loading' }
  | { kind: 'saved' }
  | { kind: 'pending' } // just typed: say nothing yet
  | { kind: 'saving'; unsaved: number }
  | { kind: 'reconnecting'; unsaved: number }
  | { kind: 'offline'; unsaved: number }
  | { kind: 'at-risk'; unsaved: number } // nowhere but in this page's memory
  | { kind: 'readonly'; reason: string }

const SAVING_SHOWN_MS = 400
const OFFLINE_SHOWN_MS = 5000

export const saveState = (f: SaveFacts, nowMs: number): SaveState => {
  if (!f.connected) return disconnected(f, nowMs)
  if (!f.loaded) return { kind: 'loading' }
  if (f.readOnly !== null && f.unsaved === 0) return { kind: 'readonly', reason: f.readOnly }
  if (f.unsaved === 0) return { kind: 'saved' }
  if (nowMs - f.unsavedSince < SAVING_SHOWN_MS) return { kind: 'pending' }
  return { kind: 'saving', unsaved: f.unsaved }
}

const disconnected = (f: SaveFacts, nowMs: number): SaveState => {
  if (f.unsaved > 0 && !f.kept) return { kind: 'at-risk', unsaved: f.unsaved }
  if (nowMs - f.disconnectedSince < OFFLINE_SHOWN_MS) {
    return f.loaded ? { kind: 'reconnecting', unsaved: f.unsaved } : { kind: 'loading' }
  }
  return { kind: 'offline', unsaved: f.unsaved }
}

/** When the answer of saveState will change by itself; 0: it will not. */
export const saveStateUntil = (f: SaveFacts, nowMs: number): number => {
  if (f.connected && f.unsaved > 0 && nowMs - f.unsavedSince < SAVING_SHOWN_MS) return f.unsavedSince + SAVING_SHOWN_MS
  if (!f.connected && nowMs - f.disconnectedSince < OFFLINE_SHOWN_MS) return f.disconnectedSince + OFFLINE_SHOWN_MS
  return 0
}
