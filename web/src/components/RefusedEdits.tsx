import { useEffect, useState } from 'react'
import { useStore } from 'zustand'
import { useWebSocket } from '../hooks/useWebSocket.js'
import { announce } from '../services/uiState.js'
import { fieldName } from '../services/vocabulary.js'
import { Dialog } from './ui/Dialog.js'

const placeName = (room: string): string => room.slice(room.indexOf(':') + 1)

/** Edits the server did not take: what I wrote, what stands there now, and a way to copy mine. */
export const RefusedEdits = () => {
  const service = useWebSocket()
  const edits = useStore(service.asides)
  const [open, setOpen] = useState(false)
  useEffect(() => {
    if (edits.length > 0) announce('A change was not accepted. Your words are kept.')
  }, [edits.length])
  if (edits.length === 0) return null
  return (
    <>
      <div className="banner danger frame-banner" data-testid="refused-edits">
        <span>
          {edits.length === 1
            ? `A change in ${placeName(edits[0]!.room)} was not accepted. Your words are kept here.`
            : `${edits.length} changes were not accepted. Your words are kept here.`}
        </span>
        <button type="button" className="button small tint" onClick={() => setOpen(true)}>
          Review and copy
        </button>
      </div>
      <Dialog
        open={open}
        onClose={() => setOpen(false)}
        title="Changes that were not accepted"
        description="They are no longer in the document. Copy what you need."
        className="wide"
      >
        {edits.map((edit) => (
          <section key={edit.id} className="refused" aria-label={placeName(edit.room)}>
            <p>
              <strong>{placeName(edit.room)}</strong>{' '}
              <span className="muted">
                {new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' }).format(edit.at)}.{' '}
                {edit.reason}
              </span>
            </p>
            {edit.fields.map((f) => (
              <div key={f.path} className="refused-field">
                <span className="label">{fieldName(f.path)}</span>
                <pre className="refused-text" tabIndex={0} aria-label={`Your text of ${fieldName(f.path)}`}>
                  {f.mine}
                </pre>
                {f.theirs && <p className="muted">Now: {f.theirs}</p>}
                <button
                  type="button"
                  className="button small"
                  onClick={() => void navigator.clipboard?.writeText(f.mine)}
                >
                  Copy
                </button>
              </div>
            ))}
            <div className="actions">
              <button type="button" className="button" onClick={() => service.dropAside(edit.id)}>
                Discard my words
              </button>
            </div>
          </section>
        ))}
        <div className="actions">
          <button type="button" className="button primary" onClick={() => setOpen(false)}>
            Done
          </button>
        </div>
      </Dialog>
    </>
  )
}
