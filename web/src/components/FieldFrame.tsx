import type { ReactNode } from 'react'
import { useFieldPeople } from '../hooks/useAwarenessField.js'
import { useRoomContext } from '../hooks/useRoomContext.js'
import type { Person } from '../services/presence.js'
import { Avatar } from './ui/Avatar.js'

export const editingText = (people: readonly Person[]): string =>
  people.length === 0
    ? ''
    : people.length === 1
      ? `${people[0]!.name} is editing`
      : people.length === 2
        ? `${people[0]!.name} and ${people[1]!.name} are editing`
        : `${people.length} people are editing`

/** The people inside a field, beside its label. */
export const EditingNow = ({ people }: { people: readonly Person[] }) => {
  if (people.length === 0) return null
  return (
    <span className="editing-now" data-testid="editing-now">
      <span className="avatars mini">
        {people.slice(0, 3).map((p) => (
          <Avatar key={p.user} name={p.name} colour={p.colour} status={p.status} size="small" />
        ))}
      </span>
      {editingText(people)}
    </span>
  )
}

type Props = { field: string; label: string; labelId: string; children: ReactNode; tools?: ReactNode }

/** A labelled part of the document that shows who is in it. */
export const FieldFrame = ({ field, label, labelId, children, tools }: Props) => {
  const { room } = useRoomContext()
  const people = useFieldPeople(room, field)
  return (
    <section
      className="field"
      aria-labelledby={labelId}
      data-testid={`field-${field}`}
      {...(people[0] ? { 'data-colour': people[0].colour, 'data-remote': true } : {})}
    >
      <div className="field-label">
        <h2 id={labelId}>{label}</h2>
        {tools}
        <EditingNow people={people} />
      </div>
      {children}
    </section>
  )
}
