/** Who is here: discs, a count, and a list with place, status and last activity. */
import { Popover } from 'radix-ui'
import { useEffect, useState } from 'react'
import { useOwnColour } from '../hooks/usePersonName.js'
import { useOpenRoom, useRoom } from '../hooks/useRoom.js'
import type { Person } from '../services/presence.js'
import { fieldName } from '../services/vocabulary.js'
import { Avatar } from './ui/Avatar.js'
import './presence.css'

const SHOWN = 4

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })

export const ago = (ms: number, nowMs: number): string => {
  const s = Math.max(0, Math.round((nowMs - ms) / 1000))
  if (s < 60) return 'now'
  if (s < 3600) return relative.format(-Math.floor(s / 60), 'minute')
  return relative.format(-Math.floor(s / 3600), 'hour')
}

const STATUS = { active: 'Active', idle: 'Idle', away: 'Away' } as const

const statusText = (p: Person, nowMs: number): string =>
  p.status === 'active' || p.lastActive === 0
    ? STATUS[p.status]
    : `${STATUS[p.status]}, last active ${ago(p.lastActive, nowMs)}`

const placeText = (p: Person): string => (p.field ? `Editing ${fieldName(p.field)}` : 'Reading')

/** A clock that moves only while somebody looks at it. */
const useNow = (everyMs: number): number => {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}

export const PeopleList = ({ people }: { people: readonly Person[] }) => {
  const now = useNow(15_000)
  const own = useOwnColour()
  return (
    <ul className="people" aria-label="People here">
      {people.map((p) => (
        <li key={p.user} data-testid="person">
          <Avatar name={p.name} colour={p.self ? own : p.colour} status={p.status} tabs={p.tabs} />
          <span className="person-text">
            <span className="person-name truncate">
              {p.name}
              {p.self && <span className="muted"> (you)</span>}
            </span>
            <span className="muted truncate">
              {placeText(p)} · {statusText(p, now)}
              {p.tabs > 1 ? ` · ${p.tabs} tabs` : ''}
            </span>
          </span>
        </li>
      ))}
    </ul>
  )
}

export const viewingText = (n: number): string => (n <= 1 ? 'Only you' : `${n} people viewing`)

export const PresenceIndicator = ({ roomName }: { roomName: string }) => {
  const room = useOpenRoom(roomName)
  const people = useRoom(room, (s) => s.people)
  const save = useRoom(room, (s) => s.save.kind)
  const others = people.filter((p) => !p.self)
  if (people.length === 0 || save === 'offline' || save === 'at-risk') return null
  const rest = others.length - SHOWN
  return (
    <Popover.Root>
      <Popover.Trigger
        className="presence button quiet"
        data-alone={others.length === 0 || undefined}
        data-testid="presence"
        aria-label={`${viewingText(people.length)}${others.length > 0 ? `: ${others.map((p) => p.name).join(', ')}` : ''}`}
      >
        <span className="avatars" data-frozen={save === 'reconnecting' || undefined}>
          {others.slice(0, SHOWN).map((p) => (
            <span key={p.user} data-testid="avatar" title={p.name}>
              <Avatar name={p.name} colour={p.colour} status={p.status} tabs={p.tabs} />
            </span>
          ))}
          {rest > 0 && <span className="avatar more" data-initials={`+${rest}`} />}
        </span>
        <span className="presence-count">{viewingText(people.length)}</span>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          className="popover presence-popover"
          align="end"
          sideOffset={6}
          collisionPadding={8}
          aria-label="People here"
        >
          <PeopleList people={people} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  )
}
