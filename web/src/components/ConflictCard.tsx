import { useText } from '../hooks/useShared.js'
import { usePersonName } from '../hooks/usePersonName.js'
import { useRoomContext } from '../hooks/useRoomContext.js'
import { useWebSocket } from '../hooks/useWebSocket.js'
import { deleteItem, restoreItem, type Item } from '../services/entityDocument.js'
import * as Y from 'yjs'

type Props = { item: Item; noun: string; mine: boolean; onSettled: () => void }

const Said = ({ text }: { text: unknown }) => {
  const value = useText(text instanceof Y.Text ? text : null)
  return value ? <p className="conflict-text">{value}</p> : null
}

/** Somebody deleted an item while words were being typed into it: one click keeps it, one lets it go. */
export const ConflictCard = ({ item, noun, mine, onSettled }: Props) => {
  const { canEdit } = useRoomContext()
  const { me } = useWebSocket()
  const nameOf = usePersonName()
  const by = item.deleted ? nameOf(item.deleted.by) : 'somebody'
  const keep = () => {
    restoreItem(item.map)
    onSettled()
  }
  const letGo = () => {
    if (item.conflict) deleteItem(item.map, me.user)
    onSettled()
  }
  return (
    <div
      className="conflict-card"
      role="group"
      aria-label={`Deleted ${noun} that was edited`}
      data-testid="conflict-card"
    >
      <p className="conflict-what">
        {`${item.deleted?.by === 'file' ? 'Deleted in the file' : `Deleted by ${by}`}${mine ? ' while you were editing it.' : ', edited meanwhile.'}`}
      </p>
      <Said text={item.map.get('text')} />
      <Said text={item.map.get('condition')} />
      <Said text={item.map.get('action')} />
      {canEdit && (
        <div className="conflict-actions">
          <button type="button" className="button small primary" onClick={keep}>{`Keep this ${noun}`}</button>
          <button type="button" className="button small" onClick={letGo}>
            Delete it
          </button>
        </div>
      )}
    </div>
  )
}
