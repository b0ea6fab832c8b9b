import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { useAtoms, useModules } from '../hooks/useWorkspace.js'
import { createAtom } from '../services/api.js'
import { ATOM_TYPES, CATEGORIES, CRITICALITIES, humanize, isValidId, suggestId } from '../services/vocabulary.js'
import { Dialog } from './ui/Dialog.js'
import { Select } from './ui/Select.js'

const options = (words: readonly string[]) => words.map((value) => ({ value, label: humanize(value) }))

export const CreateAtomDialog = ({ open, onClose }: { open: boolean; onClose: () => void }) => (
  <Dialog open={open} onClose={onClose} title="New atom" description="It becomes a YAML file in the workspace.">
    {open && <Form onClose={onClose} />}
  </Dialog>
)

const Form = ({ onClose }: { onClose: () => void }) => {
  const [, navigate] = useLocation()
  const queries = useQueryClient()
  const modules = useModules().data ?? []
  const atoms = useAtoms().data ?? []
  const [name, setName] = useState('')
  const [ownId, setOwnId] = useState<string | null>(null)
  const [type, setType] = useState('PROCESS')
  const [category, setCategory] = useState('BACK_OFFICE')
  const [criticality, setCriticality] = useState('MEDIUM')
  const [moduleId, setModuleId] = useState('')
  const [error, setError] = useState('')
  const [isBusy, setBusy] = useState(false)
  const id = ownId ?? suggestId(name, category)
  const idError =
    id === ''
      ? ''
      : !isValidId(id)
        ? 'Letters, digits, dots, dashes and underscores only.'
        : atoms.some((a) => a.id === id)
          ? 'An atom with this id exists.'
          : ''

  const submit = async () => {
    if (name.trim() === '') return setError('Give it a name.')
    if (id === '' || idError) return setError(idError || 'Give it an id.')
    setBusy(true)
    setError('')
    try {
      const phaseId = modules.find((m) => m.id === moduleId)?.phaseId
      await createAtom({
        id,
        name: name.trim(),
        type,
        category,
        criticality,
        ...(moduleId ? { moduleId } : {}),
        ...(phaseId ? { phaseId } : {}),
      })
      void queries.invalidateQueries({ queryKey: ['atom'] })
      onClose()
      navigate(`/atom/${encodeURIComponent(id)}`)
    } catch (e) {
      setError(e instanceof Error ? e.message : 'That did not work. Try again.')
      setBusy(false)
    }
  }
  return (
    <form
      className="stack-form"
      onSubmit={(e) => {
        e.preventDefault()
        void submit()
      }}
    >
      <div>
        <label className="label" htmlFor="new-name">
          Name
        </label>
        <input
          id="new-name"
          className="input"
          autoFocus
          value={name}
          maxLength={200}
          onChange={(e) => setName(e.target.value)}
        />
      </div>
      <div>
        <label className="label" htmlFor="new-id">
          Id
        </label>
        <input
          id="new-id"
          className="input mono"
          value={id}
          maxLength={128}
          spellCheck={false}
          aria-invalid={idError !== '' || undefined}
          aria-describedby="new-id-hint"
          onChange={(e) => setOwnId(e.target.value)}
        />
        <p className={idError ? 'error-text' : 'hint'} id="new-id-hint">
          {idError || 'The file’s name. It stays when the name changes.'}
        </p>
      </div>
      <div className="two">
        <div>
          <span className="label" aria-hidden="true">
            Type
          </span>
          <Select label="Type" value={type} options={options(ATOM_TYPES)} onChange={setType} look="boxed" />
        </div>
        <div>
          <span className="label" aria-hidden="true">
            Category
          </span>
          <Select label="Category" value={category} options={options(CATEGORIES)} onChange={setCategory} look="boxed" />
        </div>
        <div>
          <span className="label" aria-hidden="true">
            Criticality
          </span>
          <Select
            label="Criticality"
            value={criticality}
            options={options(CRITICALITIES)}
            onChange={setCriticality}
            look="boxed"
          />
        </div>
        <div>
          <span className="label" aria-hidden="true">
            Module
          </span>
          <Select
            label="Module"
            value={moduleId}
            options={[{ value: '', label: 'None' }, ...modules.map((m) => ({ value: m.id, label: m.name }))]}
            onChange={setModuleId}
            look="boxed"
          />
        </div>
      </div>
      {error && (
        <p className="error-text" role="alert">
          {error}
        </p>
      )}
      <div className="actions">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" className="button primary" disabled={isBusy}>
          Create atom
        </button>
      </div>
    </form>
  )
}
