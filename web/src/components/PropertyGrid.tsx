/** The short facts of an entity: menus for what is one of few, inputs for the rest. One register each: the last choice wins. */
import { useEffect, useId, useRef, useState, type ReactNode } from 'react'
import { Link } from 'wouter'
import type * as Y from 'yjs'
import { useFieldPeople } from '../hooks/useAwarenessField.js'
import { useRoomContext } from '../hooks/useRoomContext.js'
import { usePlain } from '../hooks/useShared.js'
import { setPlain, type YMap } from '../services/entityDocument.js'
import { say } from '../services/uiState.js'
import { humanize } from '../services/vocabulary.js'
import { EditingNow } from './FieldFrame.js'
import { Select } from './ui/Select.js'

type FieldProps = { map: YMap; field: string; label: string }

const Property = ({ field, label, children }: { field: string; label: string; children: ReactNode }) => {
  const { room } = useRoomContext()
  const people = useFieldPeople(room, field)
  return (
    <div
      className="property"
      data-testid={`field-${field}`}
      {...(people[0] ? { 'data-colour': people[0].colour, 'data-remote': true } : {})}
    >
      <span className="property-label" aria-hidden="true">
        {label}
      </span>
      <div className="property-value">
        {children}
        <EditingNow people={people} />
      </div>
    </div>
  )
}

const usePresenceHere = (field: string) => {
  const { room, canEdit } = useRoomContext()
  return {
    onFocus: () => canEdit && room.setPresence({ field, cursor: null }),
    onBlur: () => canEdit && room.setPresence({ field: null, cursor: null }),
  }
}

const OVERRULED_MS = 3000

/** A pick shows at once. When somebody else's pick of the same moment wins, that is said, with a way back. */
const usePick = (map: YMap, field: string) => {
  const { room } = useRoomContext()
  const last = useRef<{ value: string | null; at: number } | null>(null)
  useEffect(() => {
    const onChange = (event: Y.YMapEvent<unknown>, tr: Y.Transaction) => {
      const mine = last.current
      if (tr.local || !mine || !event.keysChanged.has(field) || map.get(field) === mine.value) return
      last.current = null
      if (Date.now() - mine.at > OVERRULED_MS) return
      const there = room.state.getState().people.find((p) => !p.self && p.field === field)
      const theirs = map.get(field)
      say(
        `${there ? there.name : 'Somebody'} chose ${typeof theirs === 'string' ? humanize(theirs) : 'none'} a moment ago.`,
        {
          label: 'Undo',
          run: () => setPlain(map, field, mine.value),
        },
      )
    }
    map.observe(onChange)
    return () => map.unobserve(onChange)
  }, [map, field, room])
  return (value: string | null) => {
    last.current = { value, at: Date.now() }
    setPlain(map, field, value)
  }
}

export const ChoiceProperty = ({
  map,
  field,
  label,
  options,
  look = '',
}: FieldProps & { options: readonly string[]; look?: string }) => {
  const { canEdit } = useRoomContext()
  const value = usePlain(map, field)
  const pick = usePick(map, field)
  const here = usePresenceHere(field)
  const current = typeof value === 'string' ? value : ''
  return (
    <Property field={field} label={label}>
      <Select
        label={label}
        value={current}
        disabled={!canEdit}
        look={`flat ${look} ${options.includes(current) ? current.toLowerCase() : ''}`}
        {...here}
        options={[
          ...options.map((o) => ({ value: o, label: humanize(o) })),
          ...(current === '' || options.includes(current) ? [] : [{ value: current, label: humanize(current) }]),
        ]}
        onChange={pick}
      />
    </Property>
  )
}

/** One of the workspace's entities, or none. */
export const ReferenceProperty = ({
  map,
  field,
  label,
  options,
  href,
}: FieldProps & { options: readonly { id: string; name: string }[]; href: (id: string) => string }) => {
  const { canEdit } = useRoomContext()
  const value = usePlain(map, field)
  const pick = usePick(map, field)
  const here = usePresenceHere(field)
  const current = typeof value === 'string' ? value : ''
  const known = options.find((o) => o.id === current)
  if (!canEdit)
    return (
      <Property field={field} label={label}>
        {current ? (
          <Link className="link" href={href(current)}>
            {known?.name ?? current}
          </Link>
        ) : (
          <span className="muted">None</span>
        )}
      </Property>
    )
  return (
    <Property field={field} label={label}>
      <Select
        label={label}
        value={current}
        look="flat"
        {...here}
        options={[
          { value: '', label: 'None' },
          ...options.map((o) => ({ value: o.id, label: o.name })),
          ...(current && !known ? [{ value: current, label: `${current} (not found)` }] : []),
        ]}
        onChange={(next) => pick(next || null)}
      />
    </Property>
  )
}

type TextProps = FieldProps & {
  suggestions?: readonly string[]
  mono?: boolean
  numeric?: boolean
  placeholder?: string
}

/** A short value, written when it is confirmed (Enter, or leaving the field). Escape takes it back. */
export const TextProperty = ({
  map,
  field,
  label,
  suggestions = [],
  mono = false,
  numeric = false,
  placeholder = 'None',
}: TextProps) => (
  <Property field={field} label={label}>
    <PlainInput
      map={map}
      name={field}
      field={field}
      label={label}
      suggestions={suggestions}
      mono={mono}
      numeric={numeric}
      placeholder={placeholder}
    />
  </Property>
)

type InputProps = {
  map: YMap
  name: string
  field: string
  label: string
  suggestions?: readonly string[]
  mono?: boolean
  numeric?: boolean
  placeholder?: string
}

export const PlainInput = ({
  map,
  name,
  field,
  label,
  suggestions = [],
  mono = false,
  numeric = false,
  placeholder = 'None',
}: InputProps) => {
  const { canEdit } = useRoomContext()
  const stored = usePlain(map, name)
  const shown = stored === null || stored === undefined ? '' : String(stored)
  const [draft, setDraft] = useState<string | null>(null)
  const input = useRef<HTMLInputElement>(null)
  const listId = useId()
  const here = usePresenceHere(field)
  const isBad =
    numeric && draft !== null && draft.trim() !== '' && !Number.isFinite(Number(draft.trim().replace(',', '.')))

  useEffect(() => {
    if (!canEdit) setDraft(null)
  }, [canEdit])

  const commit = () => {
    if (draft !== null && draft !== shown && !isBad) {
      const trimmed = draft.trim()
      if (!numeric) setPlain(map, name, trimmed)
      else if (trimmed !== '') setPlain(map, name, Number(trimmed.replace(',', '.')))
    }
    setDraft(null)
  }

  return (
    <>
      <input
        ref={input}
        className={`flat-input ${mono ? 'mono' : ''}`}
        aria-label={label}
        placeholder={placeholder}
        readOnly={!canEdit}
        maxLength={400}
        value={draft ?? shown}
        list={suggestions.length > 0 ? listId : undefined}
        inputMode={numeric ? 'decimal' : undefined}
        aria-invalid={isBad || undefined}
        onFocus={here.onFocus}
        onChange={(e) => setDraft(e.target.value)}
        onBlur={() => {
          commit()
          here.onBlur()
        }}
        onKeyDown={(e) => {
          if (e.key === 'Enter') {
            commit()
            e.preventDefault()
          }
          if (e.key === 'Escape') setDraft(null)
        }}
      />
      {suggestions.length > 0 && (
        <datalist id={listId}>
          {suggestions.map((s) => (
            <option key={s} value={s} />
          ))}
        </datalist>
      )}
    </>
  )
}
