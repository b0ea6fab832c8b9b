import { useStore } from 'zustand'
import { setSingleKeys, singleKeys } from '../services/uiState.js'
import { Dialog } from './ui/Dialog.js'
import { keyName } from './ui/Kbd.js'

const GROUPS: readonly { title: string; rows: readonly [string, string][] }[] = [
  {
    title: 'Anywhere',
    rows: [
      ['Mod K', 'Search or run a command'],
      ['/', 'Search'],
      ['G then E', 'Explorer'],
      ['N', 'New atom'],
      ['[', 'Workspace tree'],
      [']', 'Side panel'],
      ['?', 'This sheet'],
    ],
  },
  {
    title: 'Document',
    rows: [
      ['Mod Z', 'Undo my last edit'],
      ['Mod Shift Z', 'Redo'],
      ['E', 'Edit the summary'],
    ],
  },
  {
    title: 'Lists',
    rows: [
      ['Enter', 'New item, or split here'],
      ['Backspace', 'At the start: join with the item above'],
      ['Alt ↑', 'Move the item up'],
      ['Alt ↓', 'Move the item down'],
      ['Shift Enter', 'New line inside the item'],
    ],
  },
  {
    title: 'Tree',
    rows: [
      ['J', 'Next'],
      ['K', 'Previous'],
      ['→ ←', 'Open and close'],
      ['Enter', 'Go there'],
    ],
  },
]

export const ShortcutSheet = ({ open, onClose }: { open: boolean; onClose: () => void }) => (
  <Dialog
    open={open}
    onClose={onClose}
    title="Keyboard shortcuts"
    description="Single letters work while no text is being edited."
    className="wide"
  >
    <div className="sheet">
      {GROUPS.map((group) => (
        <section key={group.title} aria-label={group.title}>
          <h3 className="label">{group.title}</h3>
          <dl>
            {group.rows.map(([keys, what]) => (
              <div key={keys + what}>
                <dt>
                  <kbd>{keyName(keys)}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
    <label className="check-row">
      <input type="checkbox" checked={useStore(singleKeys)} onChange={(e) => setSingleKeys(e.target.checked)} />
      Shortcuts of one letter
    </label>
    <div className="actions">
      <button type="button" className="button" onClick={onClose}>
        Close
      </button>
    </div>
  </Dialog>
)
