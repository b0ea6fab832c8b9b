import { Tabs } from 'radix-ui'
import { X } from 'lucide-react'
import { useOpenRoom, useRoom } from '../hooks/useRoom.js'
import { setPanel } from '../services/uiState.js'
import { PeopleList, viewingText } from './PresenceIndicator.js'

/** Beside a document: who is here, and where. */
export const SidePanel = ({ roomName }: { roomName: string }) => {
  const room = useOpenRoom(roomName)
  const people = useRoom(room, (s) => s.people)
  const isOffline = useRoom(room, (s) => s.save.kind === 'offline' || s.save.kind === 'at-risk')
  return (
    <aside className="side-panel" aria-label="About this document" data-testid="side-panel">
      <Tabs.Root defaultValue="people">
        <div className="side-tabs">
          <Tabs.List aria-label="About this document">
            <Tabs.Trigger value="people" className="side-tab">
              People
            </Tabs.Trigger>
          </Tabs.List>
          <button
            type="button"
            className="button small icon quiet"
            aria-label="Close the panel"
            title="]"
            onClick={() => setPanel('side', false)}
          >
            <X size={14} aria-hidden="true" />
          </button>
        </div>
        <Tabs.Content value="people">
          <p className="muted side-summary">
            {isOffline ? 'Offline: who else is here is not known.' : viewingText(people.length)}
          </p>
          {!isOffline && <PeopleList people={people} />}
        </Tabs.Content>
      </Tabs.Root>
    </aside>
  )
}
