/**
 * Other people's carets and selections, one hub per room: every state is resolved once per frame and
 * handed to the editor whose text it is in. (Left to each editor, a mouse move of one person would
 * make every editor resolve everybody's position.)
 */
import type { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { personColour } from '../../services/presence.js'

export type Caret = { id: number; name: string; colour: number; anchor: number; head: number }
type Listener = (carets: Caret[]) => void
type Change = { added: number[]; updated: number[]; removed: number[] }
type State = {
  cursor?: { anchor?: unknown; head?: unknown } | null
  user?: { id?: unknown; name?: unknown; color?: unknown; colour?: unknown }
}

export class SelectionHub {
  private readonly listeners = new Map<Y.Text, Set<Listener>>()
  private readonly seen = new Map<number, string>()
  private shown = new Set<Y.Text>()
  private frame = 0

  private constructor(readonly awareness: Awareness) {
    awareness.on('change', (change: Change) => this.onChange(change))
  }

  private static readonly hubs = new WeakMap<Awareness, SelectionHub>()

  static of(awareness: Awareness): SelectionHub {
    let hub = SelectionHub.hubs.get(awareness)
    if (!hub) SelectionHub.hubs.set(awareness, (hub = new SelectionHub(awareness)))
    return hub
  }

  subscribe(text: Y.Text, listener: Listener): () => void {
    const all = this.listeners.get(text) ?? new Set()
    this.listeners.set(text, all.add(listener))
    this.schedule()
    return () => {
      all.delete(listener)
      if (all.size === 0) this.listeners.delete(text)
    }
  }

  private onChange({ added, updated, removed }: Change): void {
    let dirty = removed.length > 0 // whoever was here before this hub was never `seen`, but is drawn
    for (const id of removed) this.seen.delete(id)
    for (const id of [...added, ...updated]) {
      if (id === this.awareness.clientID) continue
      const state = this.awareness.getStates().get(id) as State | undefined
      const sign = JSON.stringify([state?.cursor ?? null, state?.user ?? null])
      if (this.seen.get(id) === sign) continue
      this.seen.set(id, sign)
      dirty = true
    }
    if (dirty) this.schedule()
  }

  private schedule(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.flush())
  }

  private flush(): void {
    this.frame = 0
    const carets = new Map<Y.Text, Caret[]>()
    for (const [id, state] of this.awareness.getStates()) {
      if (id === this.awareness.clientID) continue
      const found = this.resolve(id, state as State)
      if (found) carets.set(found.text, [...(carets.get(found.text) ?? []), found.caret])
    }
    for (const text of new Set([...this.shown, ...carets.keys(), ...this.listeners.keys()])) {
      for (const listener of this.listeners.get(text) ?? []) listener(carets.get(text) ?? [])
    }
    this.shown = new Set(carets.keys())
  }

  private resolve(id: number, state: State): { text: Y.Text; caret: Caret } | null {
    if (!state.cursor?.anchor || !state.cursor.head) return null
    try {
      const at = (position: unknown) =>
        Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(position), this.awareness.doc)
      const anchor = at(state.cursor.anchor)
      const head = at(state.cursor.head)
      if (!anchor || !head || anchor.type !== head.type || !(head.type instanceof Y.Text)) return null
      const name = typeof state.user?.name === 'string' ? state.user.name.slice(0, 40) : 'Somebody'
      const colour = personColour(state.user?.color ?? state.user?.colour, String(state.user?.id ?? name))
      return { text: head.type, caret: { id, name, colour, anchor: anchor.index, head: head.index } }
    } catch {
      return null // positions come from others
    }
  }
}
