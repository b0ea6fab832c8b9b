import { useLayoutEffect, useRef, type RefObject } from 'react'
import type { TextFieldHandle } from './collab/TextField.js'

const MOVE_MS = 120

/**
 * When rows change places, they glide; the row I am typing in keeps its focus (moving an element in
 * the page takes it away) and its height on the screen.
 */
export const useSettledRows = (
  order: string,
  current: () => TextFieldHandle | null,
): RefObject<HTMLOListElement | null> => {
  const container = useRef<HTMLOListElement>(null)
  const tops = useRef(new Map<string, number>())
  const last = useRef({ order, current: null as TextFieldHandle | null })

  useLayoutEffect(() => {
    const rows = [...(container.current?.querySelectorAll<HTMLElement>(':scope > [data-item]') ?? [])]
    const origin = container.current?.getBoundingClientRect().top ?? 0
    const now = new Map(rows.map((row) => [row.dataset['item']!, row.getBoundingClientRect().top - origin]))
    if (last.current.order !== order) {
      const handle = current()
      if (
        handle &&
        !handle.hasFocus() &&
        (document.activeElement === document.body || document.activeElement === null)
      ) {
        handle.element()?.querySelector<HTMLElement>('.cm-content')?.focus({ preventScroll: true })
      }
      keepHeight(handle, tops.current, now)
      if (!matchMedia('(prefers-reduced-motion: reduce)').matches) glide(rows, tops.current, now)
      last.current.order = order
    }
    tops.current = now
  })
  return container
}

const glide = (
  rows: readonly HTMLElement[],
  before: ReadonlyMap<string, number>,
  now: ReadonlyMap<string, number>,
): void => {
  for (const row of rows) {
    const id = row.dataset['item']!
    const delta = (before.get(id) ?? now.get(id)!) - now.get(id)!
    if (delta !== 0)
      row.animate([{ transform: `translateY(${delta}px)` }, { transform: 'none' }], {
        duration: MOVE_MS,
        easing: 'ease-out',
      })
  }
}

const keepHeight = (
  handle: TextFieldHandle | null,
  before: ReadonlyMap<string, number>,
  now: ReadonlyMap<string, number>,
): void => {
  const row = handle?.element()?.closest<HTMLElement>('[data-item]')
  const id = row?.dataset['item']
  if (!row || !id || !handle?.hasFocus()) return
  const delta = (now.get(id) ?? 0) - (before.get(id) ?? now.get(id) ?? 0)
  row.closest<HTMLElement>('[data-scroll]')?.scrollBy({ top: delta })
}
