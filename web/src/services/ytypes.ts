import type * as Y from 'yjs'

/** Any shared type. (Y.AbstractType is invariant in its event, so `unknown` would fit none of them.) */
export type AnyType = Y.Map<unknown> | Y.Text | Y.Array<unknown>
