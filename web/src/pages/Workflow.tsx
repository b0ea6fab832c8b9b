/** A workflow: its name and description are edited in place, its steps and transitions are shown in order. */
import { useSyncExternalStore, useCallback, useRef } from 'react'
import * as Y from 'yjs'
import { AtomField } from '../components/AtomField.js'
import { DocumentPage } from '../components/DocumentPage.js'
import { EntityTitle } from '../components/EntityTitle.js'
import '../components/editor.css'
import { useRoomContext } from '../hooks/useRoomContext.js'
import { useTextAt } from '../hooks/useShared.js'
import { usePlace } from '../hooks/usePlace.js'
import { useWorkflows } from '../hooks/useWorkspace.js'
import { roomOf, type YMap } from '../services/entityDocument.js'
import { humanize } from '../services/vocabulary.js'

export default function WorkflowPage({ id }: { id: string }) {
  const workflow = useWorkflows().data?.find((w) => w.id === id)
  usePlace(roomOf('workflow', id), [{ label: 'Workflows' }, { label: workflow?.name ?? id }])
  return (
    <DocumentPage key={id} roomName={roomOf('workflow', id)} noun="workflow">
      {() => <Body id={id} />}
    </DocumentPage>
  )
}

type Transition = { id: string; source: string; target: string; label: string; order: string }
type Step = { id: string; name: string; type: string; role: string; order: string; out: Transition[] }

const word = (map: YMap, key: string): string => (typeof map.get(key) === 'string' ? (map.get(key) as string) : '')
const byOrder = (a: { order: string; id: string }, b: { order: string; id: string }): number =>
  a.order < b.order ? -1 : a.order > b.order ? 1 : a.id < b.id ? -1 : 1

const readSteps = (nodes: YMap, edges: YMap): Step[] => {
  const maps = (all: YMap) => [...all].filter((entry): entry is [string, YMap] => entry[1] instanceof Y.Map)
  const transitions = maps(edges)
    .map(([id, e]) => {
      const condition = e.get('condition') as { field?: unknown; operator?: unknown; value?: unknown } | undefined
      const label =
        word(e, 'label') ||
        (condition?.field
          ? `${String(condition.field)} ${String(condition.operator ?? '')} ${String(condition.value ?? '')}`
          : '')
      return { id, source: word(e, 'source'), target: word(e, 'target'), label, order: word(e, 'order') }
    })
    .sort(byOrder)
  return maps(nodes)
    .map(([id, n]) => ({
      id,
      name: word(n, 'name') || id,
      type: word(n, 'type'),
      role: word(n, 'assign_to_role'),
      order: word(n, 'order'),
      out: transitions.filter((t) => t.source === id),
    }))
    .sort(byOrder)
}

const useSteps = (nodes: YMap, edges: YMap): Step[] => {
  const last = useRef<{ sign: string; steps: Step[] }>({ sign: '', steps: [] })
  return useSyncExternalStore(
    useCallback(
      (changed: () => void) => {
        nodes.observeDeep(changed)
        edges.observeDeep(changed)
        return () => {
          nodes.unobserveDeep(changed)
          edges.unobserveDeep(changed)
        }
      },
      [nodes, edges],
    ),
    () => {
      const steps = readSteps(nodes, edges)
      const sign = JSON.stringify(steps)
      if (sign !== last.current.sign) last.current = { sign, steps }
      return last.current.steps
    },
  )
}

const Body = ({ id }: { id: string }) => {
  const { room } = useRoomContext()
  const root = room.doc.getMap('workflow') as YMap
  const steps = useSteps(room.doc.getMap('nodes') as YMap, room.doc.getMap('edges') as YMap)
  const names = new Map(steps.map((s) => [s.id, s.name]))
  const description = useTextAt(root, 'description')
  return (
    <article className="document" data-testid="workflow-page" aria-label="Workflow">
      <EntityTitle id={id} name={useTextAt(root, 'name')} noun="workflow" />
      {description && (
        <AtomField text={description} field="description" label="Description" placeholder="What this workflow is for" />
      )}
      <section className="field" aria-label="Steps">
        <div className="field-label">
          <h2>Steps</h2>
          <span className="muted">{steps.length}</span>
        </div>
        <ol className="steps-list">
          {steps.map((step, i) => (
            <li key={step.id} className="step-card">
              <h3>
                <span className="muted">{i + 1}</span>
                {step.name}
                <span className="chip">{humanize(step.type || 'task')}</span>
              </h3>
              {step.role && (
                <dl>
                  <div>
                    <dt>Done by</dt>
                    <dd>{humanize(step.role)}</dd>
                  </div>
                </dl>
              )}
              {step.out.length > 0 && (
                <ul>
                  {step.out.map((t) => (
                    <li key={t.id}>
                      <span className="muted">{t.label ? `When ${t.label}, go to ` : 'Then '}</span>
                      {names.get(t.target) ?? t.target}
                    </li>
                  ))}
                </ul>
              )}
            </li>
          ))}
        </ol>
        {steps.length === 0 && <p className="muted none">No steps</p>}
      </section>
    </article>
  )
}
