import { Tabs } from 'radix-ui'
import { X } from 'lucide-react'
import { useOpenRoom, useRoom } from '../hooks/useRoom.js'
import { setPanel } from '../services/uiState.js'
import { PeopleList, viewingText } from './PresenceIndicator.js'

/** Beside a document: who is here, and where. */
export const SidePanel = ({ roomName }: { roomName: string }) => {
  const people = useRoom(useOpenRoom(roomName), (s) => s.people)
  return (
    <aside className="side-panel" aria-label="About this document" data-testid="side-panel">
      <Tabs.Root defaultValue="people">
        <div className="side-tabs">
          <Tabs.List aria-label="About this document"><Tabs.Trigger value="people" className="side-tab">People</Tabs.Trigger></Tabs.List>
          <button type="button" className="button small icon quiet" aria-label="Close the panel" title="]" onClick={() => setPanel('side', false)}><X size={14} aria-hidden="true" /></button>
        </div>
        <Tabs.Content value="people">
          <p className="muted side-summary">{viewingText(people.length)}</p>
          <PeopleList people={people} />
        </Tabs.Content>
      </Tabs.Root>
    </aside>
  )
}
