/**
 * A tree as the ARIA pattern describes it, flat in the page and only its visible rows there. One row
 * takes the Tab stop; arrows, Home, End and letters move it; Enter follows the row's link.
 */
import { useVirtualizer } from '@tanstack/react-virtual'
import { ChevronRight } from 'lucide-react'
import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode, type RefObject } from 'react'
import type { FlatNode } from '../../services/explorer.js'
import './tree.css'

type Props = {
  label: string
  rows: readonly FlatNode[]
  isOpen: (key: string) => boolean
  toggle: (key: string, open: boolean) => void
  hrefOf: (row: FlatNode) => string | null
  navigate: (href: string) => void
  current: string | null // href of the page shown
  renderRow: (row: FlatNode) => ReactNode
  rowHeight: number
  indent?: number
  scroll: RefObject<HTMLElement | null>
  className?: string
}

export const Tree = ({
  label,
  rows,
  isOpen,
  toggle,
  hrefOf,
  navigate,
  current,
  renderRow,
  rowHeight,
  indent = 14,
  scroll,
  className = '',
}: Props) => {
  const list = useRef<HTMLDivElement>(null)
  const [activeKey, setActiveKey] = useState<string | null>(null)
  const [margin, setMargin] = useState(0)
  const wantsFocus = useRef(false)
  const active = Math.max(
    0,
    rows.findIndex((r) => r.node.key === activeKey),
  )

  useLayoutEffect(() => {
    if (list.current && scroll.current) {
      const next =
        list.current.getBoundingClientRect().top - scroll.current.getBoundingClientRect().top + scroll.current.scrollTop
      if (Math.abs(next - margin) > 1) setMargin(next)
    }
  })

  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollMargin: margin,
    getItemKey: (i) => rows[i]!.node.key,
  })

  // The page shown comes into view, once per page.
  const shownFor = useRef<string | null>(null)
  useEffect(() => {
    if (current === null || shownFor.current === current) return
    const index = rows.findIndex((r) => hrefOf(r) === current)
    if (index < 0) return
    shownFor.current = current
    virtual.scrollToIndex(index, { align: 'auto' })
  }, [current, rows, hrefOf, virtual])

  useEffect(() => {
    virtual.measure()
  }, [rowHeight, virtual])

  useEffect(() => {
    if (!wantsFocus.current) return
    wantsFocus.current = false
    list.current?.querySelector<HTMLElement>(`[data-index="${active}"]`)?.focus()
  })

  const go = (index: number) => {
    const to = Math.max(0, Math.min(rows.length - 1, index))
    wantsFocus.current = true
    setActiveKey(rows[to]?.node.key ?? null)
    virtual.scrollToIndex(to)
  }

  const parentOf = (index: number): number => {
    for (let i = index - 1; i >= 0; i--) if (rows[i]!.depth < rows[index]!.depth) return i
    return index
  }

  const onKey = (event: KeyboardEvent) => {
    const row = rows[active]
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return
    const branch = row.node.children.length > 0
    const open = branch && isOpen(row.node.key)
    switch (event.key) {
      case 'ArrowDown':
      case 'j':
        go(active + 1)
        break
      case 'ArrowUp':
      case 'k':
        go(active - 1)
        break
      case 'Home':
        go(0)
        break
      case 'End':
        go(rows.length - 1)
        break
      case 'ArrowRight':
        if (branch && !open) toggle(row.node.key, true)
        else if (open) go(active + 1)
        break
      case 'ArrowLeft':
        if (open) toggle(row.node.key, false)
        else go(parentOf(active))
        break
      case ' ':
        if (branch) toggle(row.node.key, !open)
        break
      case 'Enter': {
        const href = hrefOf(row)
        if (href) navigate(href)
        else if (branch) toggle(row.node.key, !open)
        break
      }
      default:
        return
    }
    event.preventDefault()
  }

  return (
    <div
      ref={list}
      className={`tree ${className}`}
      role="tree"
      aria-label={label}
      onKeyDown={onKey}
      style={{ height: virtual.getTotalSize() }}
    >
      {virtual.getVirtualItems().map((item) => {
        const row = rows[item.index]!
        const branch = row.node.children.length > 0
        const open = branch && isOpen(row.node.key)
        const href = hrefOf(row)
        return (
          <div
            key={item.key}
            role="treeitem"
            data-index={item.index}
            className="tree-row"
            tabIndex={item.index === active ? 0 : -1}
            data-kind={row.node.kind}
            aria-level={row.depth + 1}
            aria-posinset={row.position}
            aria-setsize={row.siblings}
            aria-selected={href !== null && href === current}
            {...(branch ? { 'aria-expanded': open } : {})}
            {...(href !== null && href === current ? { 'aria-current': 'page' as const } : {})}
            style={{
              height: item.size,
              transform: `translateY(${item.start - margin}px)`,
              paddingLeft: 8 + row.depth * indent,
            }}
            onFocus={() => setActiveKey(row.node.key)}
            onClick={(event) => {
              if (!href) return branch && toggle(row.node.key, !open)
              if (event.ctrlKey || event.metaKey) window.open(href, '_blank', 'noopener')
              else navigate(href)
            }}
          >
            <span
              className="tree-toggle"
              aria-hidden="true"
              data-open={open || undefined}
              onClick={(event) => {
                if (!branch) return
                event.stopPropagation()
                toggle(row.node.key, !open)
              }}
            >
              {branch && <ChevronRight size={13} />}
            </span>
            {renderRow(row)}
          </div>
        )
      })}
    </div>
  )
}
