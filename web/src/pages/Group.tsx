/** Module, phase and journey: name, description and facts are edited like an atom's; their members are a list of references. */
import { useMemo, type ReactNode } from 'react'
import { AtomField } from '../components/AtomField.js'
import { DocumentPage } from '../components/DocumentPage.js'
import { EntityTitle } from '../components/EntityTitle.js'
import { ItemList } from '../components/ItemList.js'
import type { ItemPart } from '../components/ItemRow.js'
import { KeyListField } from '../components/KeyListField.js'
import { OtherFields } from '../components/OtherFields.js'
import { TagField } from '../components/TagField.js'
import { ReferenceProperty, TextProperty } from '../components/PropertyGrid.js'
import '../components/editor.css'
import { useRoomContext } from '../hooks/useRoomContext.js'
import { useMapAt, useTextAt } from '../hooks/useShared.js'
import { usePlace } from '../hooks/usePlace.js'
import { useAtoms, useJourneys, useModules, usePhases, useTree } from '../hooks/useWorkspace.js'
import { roomOf, type YMap } from '../services/entityDocument.js'
import { pathTo } from '../services/explorer.js'
import { humanize } from '../services/vocabulary.js'

type GroupKind = 'module' | 'phase' | 'journey'

const SHOWN: Readonly<Record<GroupKind, readonly string[]>> = {
  module: ['id', 'module_id', 'owner', 'phaseId', 'type', 'version'],
  phase: ['id', 'journeyId', 'targetDurationDays', 'sla_hours', 'sequence', 'owner'],
  journey: ['id', 'owner', 'journey_type', 'product_type', 'target_duration_days'],
}

export default function GroupPage({ kind, id }: { kind: GroupKind; id: string }) {
  const { tree } = useTree()
  const path = useMemo(() => pathTo(tree, kind, id).filter((n) => n.kind !== 'group'), [tree, kind, id])
  usePlace(roomOf(kind, id), [
    ...path.slice(0, -1).map((n) => ({ label: n.name, href: `/${n.kind}/${encodeURIComponent(n.id)}` })),
    { label: path.at(-1)?.name ?? id },
  ])
  return (
    <DocumentPage key={`${kind}:${id}`} roomName={roomOf(kind, id)} noun={kind}>
      {() => <Body kind={kind} id={id} />}
    </DocumentPage>
  )
}

const Body = ({ kind, id }: { kind: GroupKind; id: string }) => {
  const { room } = useRoomContext()
  const root = room.doc.getMap(kind) as YMap
  const description = useTextAt(root, 'description')
  const known = new Set([...SHOWN[kind], 'name', 'description'])
  return (
    <article className="document" data-testid={`${kind}-page`} aria-label={humanize(kind)}>
      <EntityTitle id={id} name={useTextAt(root, 'name')} noun={kind} />
      <div className="properties" role="group" aria-label="Properties">
        {kind === 'module' ? (
          <ModuleFacts root={root} />
        ) : kind === 'phase' ? (
          <PhaseFacts root={root} />
        ) : (
          <JourneyFacts root={root} />
        )}
      </div>
      {description && (
        <AtomField text={description} field="description" label="Description" placeholder={`What this ${kind} is`} />
      )}
      {kind === 'module' ? <Atoms root={root} /> : kind === 'phase' ? <Modules root={root} /> : <Phases root={root} />}
      {kind === 'phase' && (
        <>
          <Criteria root={root} field="entry_criteria" />
          <Criteria root={root} field="exit_criteria" />
        </>
      )}
      {kind === 'module' && <ModuleMore root={root} />}
      <OtherFields map={root} isKnown={(key) => known.has(key) || key.startsWith('_')} />
    </article>
  )
}

const CRITERION: readonly ItemPart[] = [{ key: 'text', label: 'Criterion', placeholder: 'What must be true' }]

const Criteria = ({ root, field }: { root: YMap; field: string }) => {
  const list = useMapAt(root, field)
  return list && <ItemList list={list} field={field} label={humanize(field)} noun="criterion" parts={CRITERION} />
}

const ModuleFacts = ({ root }: { root: YMap }): ReactNode => (
  <>
    <TextProperty map={root} field="owner" label="Owner" />
    <ReferenceProperty
      map={root}
      field="phaseId"
      label="Phase"
      options={usePhases().data ?? []}
      href={(p) => `/phase/${encodeURIComponent(p)}`}
    />
    <TextProperty map={root} field="type" label="Type" />
    <TextProperty map={root} field="version" label="Version" mono />
  </>
)

const ModuleMore = ({ root }: { root: YMap }) => {
  const tags = useMapAt(root, 'tags')
  const metadata = useMapAt(root, 'metadata')
  return (
    <>
      {tags && <TagField tags={tags} />}
      {metadata && <OtherFields map={metadata} title="Metadata" />}
    </>
  )
}

const PhaseFacts = ({ root }: { root: YMap }): ReactNode => (
  <>
    <ReferenceProperty
      map={root}
      field="journeyId"
      label="Journey"
      options={useJourneys().data ?? []}
      href={(j) => `/journey/${encodeURIComponent(j)}`}
    />
    <TextProperty map={root} field="targetDurationDays" label="Target days" numeric />
    <TextProperty map={root} field="sequence" label="Sequence" numeric />
    <TextProperty map={root} field="sla_hours" label="SLA hours" numeric />
  </>
)

const JourneyFacts = ({ root }: { root: YMap }): ReactNode => (
  <>
    <TextProperty map={root} field="owner" label="Owner" />
    <TextProperty map={root} field="target_duration_days" label="Target days" numeric />
    <TextProperty map={root} field="journey_type" label="Journey type" />
    <TextProperty map={root} field="product_type" label="Product type" />
  </>
)

const Atoms = ({ root }: { root: YMap }) => {
  const atoms = useAtoms().data ?? []
  const list = useMapAt(root, 'atoms')
  return (
    list && (
      <KeyListField
        list={list}
        field="atoms"
        label="Atoms"
        kind="atom"
        known={atoms.map((a) => ({ id: a.id, name: a.name, type: a.type, note: humanize(a.status) }))}
      />
    )
  )
}

const Modules = ({ root }: { root: YMap }) => {
  const modules = useModules().data ?? []
  const list = useMapAt(root, 'modules')
  return (
    list && (
      <KeyListField
        list={list}
        field="modules"
        label="Modules"
        kind="module"
        known={modules.map((m) => ({
          id: m.id,
          name: m.name,
          note: m.atoms.length === 1 ? '1 atom' : `${m.atoms.length} atoms`,
        }))}
      />
    )
  )
}

const Phases = ({ root }: { root: YMap }) => {
  const phases = usePhases().data ?? []
  const list = useMapAt(root, 'phases')
  return (
    list && (
      <KeyListField
        list={list}
        field="phases"
        label="Phases"
        kind="phase"
        known={phases.map((p) => ({
          id: p.id,
          name: p.name,
          note: p.modules.length === 1 ? '1 module' : `${p.modules.length} modules`,
        }))}
      />
    )
  )
}
