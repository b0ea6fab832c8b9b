/** One atom, every field of it editable by everybody at the same time. */
import { useEffect, useMemo, useState } from 'react'
import { useRoomContext } from '../hooks/useRoomContext.js'
import { useItems, useMapAt, useText, useTextAt } from '../hooks/useShared.js'
import { useAtoms, useModules, usePhases } from '../hooks/useWorkspace.js'
import type { YMap } from '../services/entityDocument.js'
import {
  ATOM_TYPES,
  CATEGORIES,
  CONTENT_LISTS,
  CONTENT_TEXTS,
  CRITICALITIES,
  isKnownAtomKey,
  STATUSES,
  type ListFieldDef,
  type TextFieldDef,
} from '../services/vocabulary.js'
import { AddField } from './AddField.js'
import { AtomField } from './AtomField.js'
import { EdgeList } from './EdgeList.js'
import { EntityTitle } from './EntityTitle.js'
import { ItemList } from './ItemList.js'
import type { ItemPart } from './ItemRow.js'
import { MetricList } from './MetricList.js'
import { OtherFields } from './OtherFields.js'
import { ChoiceProperty, ReferenceProperty, TextProperty } from './PropertyGrid.js'
import './editor.css'

const EXCEPTION_PARTS: readonly ItemPart[] = [
  { key: 'condition', label: 'When', placeholder: 'What is out of the ordinary' },
  { key: 'action', label: 'Then', placeholder: 'What to do' },
]

const suggestionsOf = (values: readonly string[]): string[] => [...new Set(values.filter(Boolean))].sort()

export const CollaborativeAtomEditor = ({ id }: { id: string }) => {
  const { room } = useRoomContext()
  const atom = room.doc.getMap('atom') as YMap
  const content = useMapAt(atom, 'content')
  const edges = useMapAt(atom, 'edges')
  const metrics = useMapAt(atom, 'metrics')
  return (
    <article className="document" data-testid="atom-editor" aria-label="Atom">
      <EntityTitle id={id} name={useTextAt(atom, 'name')} noun="atom" />
      <AtomProperties atom={atom} />
      {content ? (
        <Content content={content} />
      ) : (
        <p className="banner danger">
          The content of this atom cannot be shown: its shape in the document is broken. The file keeps its last valid
          state.
        </p>
      )}
      {edges && <EdgeList edges={edges} ownId={id} />}
      {metrics && <MetricList metrics={metrics} />}
      <OtherFields map={atom} isKnown={isKnownAtomKey} />
    </article>
  )
}

const AtomProperties = ({ atom }: { atom: YMap }) => {
  const atoms = useAtoms().data ?? []
  const modules = useModules().data ?? []
  const phases = usePhases().data ?? []
  const owners = useMemo(() => suggestionsOf(atoms.map((a) => a.owner)), [atoms])
  const teams = useMemo(() => suggestionsOf(atoms.map((a) => a.team)), [atoms])
  return (
    <div className="properties" role="group" aria-label="Properties">
      <ChoiceProperty map={atom} field="type" label="Type" options={ATOM_TYPES} />
      <TextProperty map={atom} field="owner" label="Owner" suggestions={owners} />
      <ChoiceProperty map={atom} field="status" label="Status" options={STATUSES} look="chip" />
      <TextProperty map={atom} field="team" label="Team" suggestions={teams} />
      <ChoiceProperty map={atom} field="criticality" label="Criticality" options={CRITICALITIES} look="chip" />
      <ReferenceProperty
        map={atom}
        field="moduleId"
        label="Module"
        options={modules}
        href={(m) => `/module/${encodeURIComponent(m)}`}
      />
      <ChoiceProperty map={atom} field="category" label="Category" options={CATEGORIES} />
      <ReferenceProperty
        map={atom}
        field="phaseId"
        label="Phase"
        options={phases}
        href={(p) => `/phase/${encodeURIComponent(p)}`}
      />
      <TextProperty map={atom} field="ontologyDomain" label="Domain" />
      <TextProperty map={atom} field="version" label="Version" mono />
    </div>
  )
}

/** Fields in their order; the empty ones wait in one row at the end until somebody opens them. */
const Content = ({ content }: { content: YMap }) => {
  const { canEdit } = useRoomContext()
  const [opened, setOpened] = useState<readonly string[]>([])
  const [empty, setEmpty] = useState<ReadonlySet<string>>(new Set())
  const report = (key: string, isEmpty: boolean) => {
    if (empty.has(key) !== isEmpty)
      setEmpty((s) => (isEmpty ? new Set([...s, key]) : new Set([...s].filter((k) => k !== key))))
  }
  const shared = { content, opened, report, last: opened.at(-1) ?? null }
  const [summary, description, ...texts] = CONTENT_TEXTS
  const folded = [
    ...CONTENT_TEXTS.slice(2),
    ...CONTENT_LISTS.slice(1),
    { key: 'exceptions', label: 'Exceptions' },
  ].filter((f) => empty.has(f.key) && !opened.includes(f.key))
  return (
    <>
      <MaybeText {...shared} def={summary!} always />
      <MaybeText {...shared} def={description!} always />
      <MaybeList {...shared} def={CONTENT_LISTS[0]!} always numbered />
      {texts.slice(0, 2).map((def) => (
        <MaybeText key={def.key} {...shared} def={def} />
      ))}
      {CONTENT_LISTS.slice(1).map((def) => (
        <MaybeList key={def.key} {...shared} def={def} />
      ))}
      <MaybeList
        {...shared}
        def={{ key: 'exceptions', label: 'Exceptions', item: 'exception', placeholder: '' }}
        parts={EXCEPTION_PARTS}
      />
      {texts.slice(2).map((def) => (
        <MaybeText key={def.key} {...shared} def={def} />
      ))}
      {canEdit && <AddField fields={folded} onAdd={(key) => setOpened((all) => [...all, key])} />}
    </>
  )
}

type MaybeProps = {
  content: YMap
  opened: readonly string[]
  last: string | null
  report: (key: string, isEmpty: boolean) => void
  always?: boolean
}

const useReport = (key: string, isEmpty: boolean, report: MaybeProps['report']) => {
  // Told while rendering is too early for the parent's state; after the commit it is not.
  useEffect(() => report(key, isEmpty), [key, isEmpty])
}

const MaybeText = ({ content, def, opened, last, report, always = false }: MaybeProps & { def: TextFieldDef }) => {
  const text = useTextAt(content, def.key)
  const isEmpty = useText(text) === ''
  const [wasFull, setWasFull] = useState(!isEmpty)
  useEffect(() => {
    if (!isEmpty) setWasFull(true)
  }, [isEmpty])
  useReport(def.key, text !== null && isEmpty && !wasFull, report)
  if (!text || (isEmpty && !wasFull && !always && !opened.includes(def.key))) return null
  return (
    <AtomField
      text={text}
      field={`content.${def.key}`}
      label={def.label}
      placeholder={def.placeholder}
      focusOnMount={last === def.key}
    />
  )
}

const MaybeList = ({
  content,
  def,
  opened,
  last,
  report,
  always = false,
  numbered = false,
  parts,
}: MaybeProps & { def: ListFieldDef; numbered?: boolean; parts?: readonly ItemPart[] }) => {
  const list = useMapAt(content, def.key)
  const isEmpty = useItems(list).every((item) => item.deleted !== null && !item.conflict)
  const [wasFull, setWasFull] = useState(!isEmpty)
  useEffect(() => {
    if (!isEmpty) setWasFull(true)
  }, [isEmpty])
  useReport(def.key, list !== null && isEmpty && !wasFull, report)
  const own = useMemo(
    () => parts ?? [{ key: 'text' as const, label: def.label, placeholder: def.placeholder }],
    [parts, def],
  )
  if (!list || (isEmpty && !wasFull && !always && !opened.includes(def.key))) return null
  return (
    <ItemList
      list={list}
      field={`content.${def.key}`}
      label={def.label}
      noun={def.item}
      parts={own}
      numbered={numbered}
      focusOnMount={last === def.key}
    />
  )
}
