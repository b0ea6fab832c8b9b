/** The search box and the menus that compose the query; the query itself is text, in the address. */
import { ListFilter, Search, X } from 'lucide-react'
import { DropdownMenu } from 'radix-ui'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { AtomRow } from '../services/api.js'
import { CHIP_FIELDS, formatQuery, parseQuery, type ChipField, type Query } from '../services/explorer.js'
import { humanize } from '../services/vocabulary.js'
import { TypeMark } from './ui/TypeMark.js'

export const ExplorerFilters = ({
  query,
  text,
  atoms,
  onChange,
}: {
  query: Query
  text: string
  atoms: readonly AtomRow[]
  onChange: (query: string) => void
}) => {
  const [typed, setTyped] = useState(query.words.join(' '))
  const input = useRef<HTMLInputElement>(null)
  const own = useRef(typed)
  useEffect(() => {
    const words = parseQuery(text).words.join(' ')
    if (words !== own.current.trim().toLowerCase()) setTyped(words)
  }, [text])
  const type = (value: string) => {
    own.current = value
    setTyped(value)
    const parsed = parseQuery(value)
    onChange(formatQuery({ words: parsed.words, chips: [...query.chips, ...parsed.chips] }))
    if (parsed.chips.length > 0) setTyped(parsed.words.join(' '))
  }
  const toggle = (field: ChipField, value: string) => {
    const rest = query.chips.filter((c) => !(c.field === field && c.value.toLowerCase() === value.toLowerCase()))
    onChange(
      formatQuery({
        words: query.words,
        chips: rest.length === query.chips.length ? [...rest, { field, value }] : rest,
      }),
    )
  }
  return (
    <div className="filters" role="search">
      <div className="search-box">
        <Search size={15} aria-hidden="true" />
        <input
          ref={input}
          id="explorer-search"
          type="search"
          className="input"
          placeholder="Search atoms"
          aria-label="Search atoms"
          value={typed}
          onChange={(e) => type(e.target.value)}
          onKeyDown={(e) => {
            if (e.key === 'Escape') {
              type('')
              input.current?.blur()
            }
          }}
        />
      </div>
      <div className="filter-strip">
        {CHIP_FIELDS.map((field) => (
          <FilterMenu key={field} field={field} atoms={atoms} query={query} toggle={toggle} />
        ))}
      </div>
      {query.chips.length > 0 && (
        <ul className="chips" aria-label="Filters">
          {query.chips.map(({ field, value }) => (
            <li key={`${field} ${value}`}>
              <button type="button" className="chip filter-chip" onClick={() => toggle(field, value)}>
                <span className="muted">{humanize(field)}</span>{' '}
                {field === 'owner' || field === 'team' ? value : humanize(value)}
                <span className="visually-hidden">, remove filter</span>
                <X size={12} aria-hidden="true" />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

const FilterMenu = ({
  field,
  atoms,
  query,
  toggle,
}: {
  field: ChipField
  atoms: readonly AtomRow[]
  query: Query
  toggle: (field: ChipField, value: string) => void
}) => {
  const counts = useMemo(() => {
    const all = new Map<string, number>()
    for (const a of atoms) if (a[field]) all.set(a[field], (all.get(a[field]) ?? 0) + 1)
    return [...all].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  }, [atoms, field])
  const name = (value: string) => (field === 'owner' || field === 'team' ? value : humanize(value))
  const chosen = (value: string) =>
    query.chips.some(
      (c) =>
        c.field === field &&
        c.value.toLowerCase().replace(/[_\s]+/g, ' ') === value.toLowerCase().replace(/[_\s]+/g, ' '),
    )
  if (counts.length < 2) return null
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="button quiet filter-button">
        <ListFilter size={13} aria-hidden="true" />
        {humanize(field)}
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal container={document.getElementById('page')}>
        <DropdownMenu.Content className="popover" align="start" sideOffset={4} collisionPadding={8}>
          {counts.map(([value, n]) => (
            <DropdownMenu.CheckboxItem
              key={value}
              className="menu-item"
              checked={chosen(value)}
              onSelect={(e) => e.preventDefault()}
              onCheckedChange={() => toggle(field, value)}
            >
              <span className="check" aria-hidden="true">
                {chosen(value) ? '✓' : ''}
              </span>
              {field === 'type' && <TypeMark type={value} />}
              {name(value)}
              <span className="menu-count">{n}</span>
            </DropdownMenu.CheckboxItem>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}
