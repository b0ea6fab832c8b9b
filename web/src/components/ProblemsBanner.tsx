import { useState } from 'react'
import { useProblems } from '../hooks/useWorkspace.js'
import { placeOf } from '../services/api.js'

/** Files that do not parse: the rest works, and these say where to look. */
export const ProblemsBanner = () => {
  const problems = useProblems().data ?? []
  const [open, setOpen] = useState(false)
  if (problems.length === 0) return null
  return (
    <section className="problems banner" aria-label="Problems in the workspace" data-testid="problems">
      <span>
        {problems.length === 1
          ? 'One file of the workspace has a problem.'
          : `${problems.length} files of the workspace have problems.`}{' '}
        The rest works.
      </span>
      <button type="button" className="button small tint" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? 'Hide' : 'Show'}
      </button>
      {open && (
        <ul>
          {problems.map((p, i) => (
            <li key={i}>
              <code>{placeOf(p)}</code> <span>{p.text}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
