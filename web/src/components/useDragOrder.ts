import { useState, type PointerEvent as ReactPointerEvent, type RefObject } from 'react'

/** Dragging a row by its handle: which one, and where it would fall. Every move has a key as well. */
export const useDragOrder = (container: RefObject<HTMLElement | null>, drop: (from: number, to: number) => void) => {
  const [state, setState] = useState<{ from: number; to: number } | null>(null)

  const start = (event: ReactPointerEvent, from: number) => {
    if (event.button !== 0 || !container.current) return
    const handle = event.currentTarget as HTMLElement
    handle.setPointerCapture(event.pointerId)
    let to = from
    const rows = () => [...(container.current?.querySelectorAll<HTMLElement>(':scope > [data-item]') ?? [])]
    const move = (e: PointerEvent) => {
      const after = rows().filter(
        (row, i) => i !== from && e.clientY > row.getBoundingClientRect().top + row.offsetHeight / 2,
      ).length
      to = after
      setState({ from, to })
    }
    const end = (e: PointerEvent) => {
      handle.removeEventListener('pointermove', move)
      handle.removeEventListener('pointerup', end)
      handle.removeEventListener('pointercancel', end)
      setState(null)
      if (e.type === 'pointerup' && to !== from) drop(from, to)
    }
    setState({ from, to })
    handle.addEventListener('pointermove', move)
    handle.addEventListener('pointerup', end)
    handle.addEventListener('pointercancel', end)
  }

  return { start, from: state?.from ?? null, to: state?.to ?? null }
}
