/** Parts of a document as React values. Each follows its shared type and renders only when its own part changed. */
import { useCallback, useRef, useSyncExternalStore } from 'react'
import * as Y from 'yjs'
import { edgesOf, itemsOf, keysOf, type Edge, type Item, type KeyEntry, type YMap } from '../services/entityDocument.js'

const useDeep = <T>(type: YMap | null, read: (type: YMap) => T, none: T, sign: (value: T) => string): T => {
  const last = useRef<{ of: YMap | null; value: T; sign: string }>({ of: null, value: none, sign: '' })
  const subscribe = useCallback(
    (changed: () => void) => {
      type?.observeDeep(changed)
      return () => type?.unobserveDeep(changed)
    },
    [type],
  )
  return useSyncExternalStore(subscribe, () => {
    const value = type ? read(type) : none
    const signature = sign(value)
    if (last.current.of !== type || last.current.sign !== signature) last.current = { of: type, value, sign: signature }
    return last.current.value
  })
}

const NO_ITEMS: Item[] = []
const NO_EDGES: Edge[] = []
const NO_KEYS: KeyEntry[] = []

/** A list's items in order; typing inside an item is not a change of the list. */
export const useItems = (list: YMap | null): Item[] =>
  useDeep(list, itemsOf, NO_ITEMS, (items) =>
    items
      .map((i) => `${i.id} ${i.order} ${i.deleted ? `${i.deleted.by} ${i.deleted.at}` : ''} ${i.conflict}`)
      .join('\n'),
  )

export const useEdges = (edges: YMap | null): Edge[] => useDeep(edges, edgesOf, NO_EDGES, (all) => JSON.stringify(all))

export const useKeys = (list: YMap | null): KeyEntry[] => useDeep(list, keysOf, NO_KEYS, (all) => JSON.stringify(all))

/** One entry of a map: a plain value. */
export const usePlain = (map: YMap | null, key: string): unknown =>
  useSyncExternalStore(
    useCallback(
      (changed: () => void) => {
        const listener = (event: Y.YMapEvent<unknown>) => event.keysChanged.has(key) && changed()
        map?.observe(listener)
        return () => map?.unobserve(listener)
      },
      [map, key],
    ),
    () => map?.get(key),
  )

/** A container below a map, as long as it is what the shape says. */
export const useTextAt = (map: YMap | null, key: string): Y.Text | null => {
  const value = usePlain(map, key)
  return value instanceof Y.Text ? value : null
}

export const useMapAt = (map: YMap | null, key: string): YMap | null => {
  const value = usePlain(map, key)
  return value instanceof Y.Map ? value : null
}

/** The names in a map, and their values as text: for maps whose keys are data (metrics, unknown keys). */
export const useEntries = (map: YMap | null): readonly [string, unknown][] => {
  const last = useRef<{ of: YMap | null; sign: string; value: [string, unknown][] }>({ of: null, sign: '', value: [] })
  return useSyncExternalStore(
    useCallback(
      (changed: () => void) => {
        map?.observe(changed)
        return () => map?.unobserve(changed)
      },
      [map],
    ),
    () => {
      const value = map ? [...map].filter(([, v]) => !isShared(v)) : []
      const sign = JSON.stringify(value)
      if (last.current.of !== map || last.current.sign !== sign) last.current = { of: map, sign, value }
      return last.current.value
    },
  )
}

const isShared = (value: unknown): boolean => typeof value === 'object' && value !== null && 'observeDeep' in value

export const useText = (text: Y.Text | null): string =>
  useSyncExternalStore(
    useCallback(
      (changed: () => void) => {
        text?.observe(changed)
        return () => text?.unobserve(changed)
      },
      [text],
    ),
    () => text?.toString() ?? '',
  )
