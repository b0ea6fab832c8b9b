/**
 * The sync plugin knows only strings. An embed that some other editor put into a text is shown as one
 * object replacement character: that is its length in the Y.Text too, so positions stay true.
 */
import type * as Y from 'yjs'

const EMBED = '\uFFFC'

type Delta = readonly { insert?: unknown }[]

export const plainText = (text: Y.Text): string =>
  (text.toDelta() as Delta).map((op) => (typeof op.insert === 'string' ? op.insert : EMBED)).join('')

/** Goes before the sync plugin's observer; the delta is made once per event and shared by its observers. */
export const observeEmbedsFirst = (text: Y.Text): (() => void) => {
  const flatten = (event: Y.YTextEvent) => {
    for (const op of event.delta) if (op.insert !== undefined && typeof op.insert !== 'string') op.insert = EMBED
  }
  text.observe(flatten)
  return () => text.unobserve(flatten)
}
