import { useState } from 'react'
import { chooseName } from '../services/api.js'
import { Logo } from './ui/Logo.js'
import { Dialog } from './ui/Dialog.js'

const NAME_MAX = 64

type Props = { onNamed: () => void; current?: string; onClose?: () => void }

/** The first visit where no sign-in is set up: others should know who writes. Later the name can be changed. */
export const NameDialog = ({ onNamed, current = '', onClose }: Props) => {
  const [error, setError] = useState('')
  const [isBusy, setBusy] = useState(false)
  const submit = async (form: HTMLFormElement) => {
    const name = String(new FormData(form).get('name') ?? '').trim() // what is there, whoever filled it in
    if (name === '') return setError('Type the name that others will see.')
    setBusy(true)
    try {
      await chooseName(name)
      onNamed()
    } catch (e) {
      setError(e instanceof Error ? e.message : 'That did not work. Try again.')
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open
      onClose={onClose ?? (() => undefined)}
      required={onClose === undefined}
      {...(onClose ? {} : { className: 'first' })}
      icon={onClose ? null : <Logo />}
      title={onClose ? 'Change your name' : 'Choose a name'}
      description="People who work on the same document will see it beside your cursor."
    >
      <form
        className="stack-form"
        onSubmit={(e) => {
          e.preventDefault()
          void submit(e.currentTarget)
        }}
      >
        <div>
          <label className="label" htmlFor="own-name">
            Your name
          </label>
          <input
            id="own-name"
            className="input"
            autoFocus
            autoComplete="name"
            maxLength={NAME_MAX}
            name="name"
            defaultValue={current}
            aria-invalid={error !== '' || undefined}
            aria-describedby={error ? 'own-name-error' : undefined}
            onChange={() => setError('')}
          />
          {error && (
            <p className="error-text" id="own-name-error" role="alert">
              {error}
            </p>
          )}
        </div>
        <div className="actions">
          <button type="submit" className="button primary" disabled={isBusy}>
            {onClose ? 'Change name' : 'Start'}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
