import type { WorkspacePerson } from '../../protocol/messages.js'
import { personColour } from '../../services/presence.js'
import { Avatar } from './Avatar.js'

/** Who is in an entity, as small discs at the end of a row. */
export const MiniPeople = ({ people }: { people: readonly WorkspacePerson[] | undefined }) => {
  if (!people || people.length === 0) return null
  return (
    <span className="avatars mini" title={people.map((p) => p.name).join(', ')}>
      {people.slice(0, 3).map((p) => (
        <Avatar key={p.user} name={p.name} colour={personColour(p.colour, p.user)} status={p.status} size="mini" />
      ))}
      {people.length > 3 && (
        <span className="avatar mini more" data-initials={`+${people.length - 3}`} aria-hidden="true" />
      )}
      <span className="visually-hidden">{people.map((p) => p.name).join(', ')} here</span>
    </span>
  )
}
