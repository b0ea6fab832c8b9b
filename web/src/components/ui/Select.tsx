import { ChevronDown } from 'lucide-react'
import type { FocusEventHandler } from 'react'
import './select.css'

type Props = {
  label: string
  value: string
  options: readonly { value: string; label: string }[]
  onChange: (value: string) => void
  onFocus?: FocusEventHandler
  onBlur?: FocusEventHandler
  disabled?: boolean
  look?: string
  id?: string
}

/** The browser's own menu in our clothes: right on phones, by keyboard and for screen readers. */
export const Select = ({
  label,
  value,
  options,
  onChange,
  onFocus,
  onBlur,
  disabled = false,
  look = '',
  id,
}: Props) => (
  <span className={`select ${look} ${value === '' ? 'none-chosen' : ''}`}>
    <select
      id={id}
      aria-label={label}
      value={value}
      disabled={disabled}
      onChange={(e) => onChange(e.target.value)}
      onFocus={onFocus}
      onBlur={onBlur}
    >
      {!options.some((o) => o.value === value) && <option value={value}>{value || 'None'}</option>}
      {options.map((o) => (
        <option key={o.value} value={o.value}>
          {o.label}
        </option>
      ))}
    </select>
    {!disabled && <ChevronDown size={13} aria-hidden="true" />}
  </span>
)
