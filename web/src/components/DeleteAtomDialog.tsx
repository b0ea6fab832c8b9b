import { useState } from 'react'
import { deleteAtom } from '../services/api.js'
import { Dialog } from './ui/Dialog.js'

type Props = { id: string; name: string; linkedFrom: number; open: boolean; onClose: () => void; onDeleted: () => void }

export const DeleteAtomDialog = ({ id, name, linkedFrom, open, onClose, onDeleted }: Props) => {
  const [error, setError] = useState('')
  const [isBusy, setBusy] = useState(false)
  const run = async () => {
    setBusy(true)
    try {
      await deleteAtom(id)
      onDeleted()
    } catch (e) {
      setError(e instanceof Error ? e.message : 'That did not work. Try again.')
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={`Delete ${name || id}?`}
      description={`Its file leaves the workspace for everybody.${linkedFrom > 0 ? ` ${linkedFrom === 1 ? 'One atom links' : `${linkedFrom} atoms link`} to it.` : ''} Git keeps what was committed.`}
    >
      {error && (
        <p className="error-text" role="alert">
          {error}
        </p>
      )}
      <div className="actions">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="button danger" disabled={isBusy} onClick={() => void run()}>
          Delete atom
        </button>
      </div>
    </Dialog>
  )
}
