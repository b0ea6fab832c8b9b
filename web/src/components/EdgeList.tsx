/** Typed links to other atoms, with a picker, and the links that point here. */
import { Plus, X } from 'lucide-react'
import { Popover } from 'radix-ui'
import { useId, useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { Link } from 'wouter'
import { useRoomContext } from '../hooks/useRoomContext.js'
import { useEdges } from '../hooks/useShared.js'
import { useAtoms } from '../hooks/useWorkspace.js'
import type { AtomRow } from '../services/api.js'
import { addEdge, removeEdge, type YMap } from '../services/entityDocument.js'
import { rank } from '../services/explorer.js'
import { say } from '../services/uiState.js'
import { EDGE_TYPES, humanize } from '../services/vocabulary.js'
import { FieldFrame } from './FieldFrame.js'
import { Select } from './ui/Select.js'
import { TypeMark } from './ui/TypeMark.js'

export const EdgeList = ({ edges, ownId }: { edges: YMap; ownId: string }) => {
  const { canEdit } = useRoomContext()
  const rows = useEdges(edges)
  const atoms = useAtoms().data ?? []
  const byId = useMemo(() => new Map(atoms.map((a) => [a.id, a])), [atoms])
  const incoming = useMemo(
    () => atoms.flatMap((a) => a.edges.filter((e) => e.target === ownId).map((e) => ({ from: a, type: e.type }))),
    [atoms, ownId],
  )
  const labelId = useId()
  return (
    <FieldFrame field="edges" label="Links" labelId={labelId}>
      {rows.length === 0 && !canEdit && <p className="muted none">None</p>}
      <ul className="edges" aria-labelledby={labelId}>
        {rows.map((edge) => (
          <li key={edge.key} className="edge" data-testid="edge">
            <span className="edge-type">{humanize(edge.type)}</span>
            <EdgeTarget atom={byId.get(edge.target)} id={edge.target} />
            {edge.label && <span className="muted truncate">{edge.label}</span>}
            {canEdit && (
              <button
                type="button"
                className="button small icon quiet item-remove"
                aria-label={`Remove link ${humanize(edge.type)} ${byId.get(edge.target)?.name ?? edge.target}`}
                onClick={() => removeEdge(edges, edge.key)}
              >
                <X size={14} aria-hidden="true" />
              </button>
            )}
          </li>
        ))}
      </ul>
      {canEdit && <EdgePicker edges={edges} ownId={ownId} atoms={atoms} />}
      {incoming.length > 0 && (
        <>
          <h3 className="subhead">Linked from</h3>
          <ul className="edges">
            {incoming.map(({ from, type }) => (
              <li key={`${type} ${from.id}`} className="edge incoming">
                <EdgeTarget atom={from} id={from.id} />
                <span className="edge-type">{humanize(type)} this</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </FieldFrame>
  )
}

const EdgeTarget = ({ atom, id }: { atom: AtomRow | undefined; id: string }) => (
  <Link href={`/atom/${encodeURIComponent(id)}`} className="edge-target truncate" title={atom?.summary || id}>
    {atom && <TypeMark type={atom.type} />}
    <span className="truncate">{atom?.name ?? id}</span>
    {!atom && <span className="muted">not found</span>}
  </Link>
)

const RESULTS = 8

const EdgePicker = ({ edges, ownId, atoms }: { edges: YMap; ownId: string; atoms: readonly AtomRow[] }) => {
  const [open, setOpen] = useState(false)
  const [type, setType] = useState<string>('RELATED_TO')
  const [words, setWords] = useState('')
  const [active, setActive] = useState(0)
  const input = useRef<HTMLInputElement>(null)
  const listId = useId()

  const found = useMemo(() => {
    const needles = words.toLowerCase().split(/\s+/).filter(Boolean)
    return atoms
      .filter((a) => a.id !== ownId && needles.every((w) => `${a.name} ${a.id}`.toLowerCase().includes(w)))
      .sort((a, b) => rank(a, needles) - rank(b, needles) || (a.name < b.name ? -1 : 1))
      .slice(0, RESULTS)
  }, [atoms, words, ownId])

  const pick = (atom: AtomRow) => {
    if (!addEdge(edges, type, atom.id)) say(`This link to ${atom.name} is already there.`)
    setWords('')
    setOpen(false)
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setActive((i) => Math.min(i + 1, found.length - 1))
    else if (event.key === 'ArrowUp') setActive((i) => Math.max(i - 1, 0))
    else if (event.key === 'Enter' && found[active]) pick(found[active])
    else return
    event.preventDefault()
  }
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger className="button small quiet add-item">
        <Plus size={14} aria-hidden="true" />
        Add link
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          className="popover edge-picker"
          align="start"
          sideOffset={4}
          collisionPadding={8}
          aria-label="Add link"
          onOpenAutoFocus={(e) => {
            e.preventDefault()
            input.current?.focus()
          }}
        >
          <Select
            label="Kind of link"
            value={type}
            options={EDGE_TYPES.map((t) => ({ value: t, label: humanize(t) }))}
            onChange={setType}
            look="boxed"
          />
          <input
            ref={input}
            className="input"
            role="combobox"
            aria-label="Find an atom"
            aria-expanded="true"
            aria-controls={listId}
            aria-activedescendant={found[active] ? `${listId}-${active}` : undefined}
            placeholder="Find an atom"
            value={words}
            onChange={(e) => {
              setWords(e.target.value)
              setActive(0)
            }}
            onKeyDown={onKey}
          />
          <ul role="listbox" id={listId} aria-label="Atoms" className="picker-results">
            {found.map((atom, i) => (
              <li
                key={atom.id}
                id={`${listId}-${i}`}
                role="option"
                aria-selected={i === active}
                className="menu-item"
                onPointerMove={() => setActive(i)}
                onClick={() => pick(atom)}
              >
                <TypeMark type={atom.type} />
                <span className="truncate">{atom.name}</span>
              </li>
            ))}
          </ul>
          {found.length === 0 && <p className="muted picker-none">No atom fits.</p>}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  )
}
