import { humanize } from '../services/vocabulary.js'

export const StatusChip = ({ status }: { status: string }) =>
  status && status !== 'ACTIVE' ? <span className={`chip ${status.toLowerCase()}`}>{humanize(status)}</span> : null

export const CriticalityChip = ({ value }: { value: string }) =>
  value ? <span className={`chip ${value.toLowerCase()}`}>{humanize(value)}</span> : null
