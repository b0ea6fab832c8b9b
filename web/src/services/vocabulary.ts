/** The words of the domain: enumerations, fields and how they are called on screen. */
export const ATOM_TYPES = [
  'PROCESS',
  'DECISION',
  'GATEWAY',
  'ROLE',
  'SYSTEM',
  'DOCUMENT',
  'DATA',
  'REGULATION',
  'METRIC',
  'RISK',
  'POLICY',
  'CONTROL',
  'VALIDATION',
  'API',
  'CAPABILITY',
  'AGENT',
  'VERSION',
] as const
export const CATEGORIES = ['CUSTOMER_FACING', 'BACK_OFFICE', 'SYSTEM', 'COMPLIANCE', 'RISK'] as const
export const STATUSES = ['DRAFT', 'ACTIVE', 'DEPRECATED', 'ARCHIVED'] as const
export const CRITICALITIES = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] as const
export const EDGE_TYPES = [
  'DEPENDS_ON',
  'ENABLES',
  'RELATED_TO',
  'REQUIRES',
  'TRIGGERS',
  'DATA_FLOWS_TO',
  'PERFORMED_BY',
  'GOVERNED_BY',
  'USES_COMPONENT',
  'COMPONENT_OF',
  'IMPLEMENTS',
  'VALIDATES',
  'DOCUMENTS',
  'REFERENCES',
  'INFLUENCES',
  'PARALLEL_WITH',
  'ESCALATES_TO',
  'REQUIRES_KNOWLEDGE_OF',
  'FORBIDDEN_FOR',
  'SUPERSEDES',
  'REPLACED_BY',
  'MIGRATED_TO',
  'VERSION_OF',
] as const

const NAMES: Readonly<Record<string, string>> = { API: 'API', 'atom-bo': 'Back office' }

/** BACK_OFFICE, back_office or backOffice: "Back office". */
export const humanize = (word: string): string => {
  if (NAMES[word]) return NAMES[word]
  const spaced = word
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/[_-]+/g, ' ')
    .trim()
    .toLowerCase()
  return spaced.charAt(0).toUpperCase() + spaced.slice(1)
}

/** The shape that marks a type in lists: never told by colour alone. */
export const markOf = (type: string): string => {
  switch (type) {
    case 'DECISION':
    case 'GATEWAY':
      return 'diamond'
    case 'SYSTEM':
    case 'API':
    case 'CAPABILITY':
    case 'AGENT':
      return 'circle'
    case 'ROLE':
      return 'ring'
    case 'DOCUMENT':
    case 'DATA':
    case 'VERSION':
      return 'bar'
    case 'CONTROL':
    case 'VALIDATION':
    case 'METRIC':
      return 'triangle'
    case 'POLICY':
    case 'REGULATION':
      return 'frame'
    case 'RISK':
      return 'half'
    default:
      return 'square'
  }
}

export type TextFieldDef = { key: string; label: string; placeholder: string }
export type ListFieldDef = { key: string; label: string; item: string; placeholder: string }

export const CONTENT_TEXTS: readonly TextFieldDef[] = [
  { key: 'summary', label: 'Summary', placeholder: 'One or two sentences' },
  { key: 'description', label: 'Description', placeholder: 'What happens, and why' },
  { key: 'purpose', label: 'Purpose', placeholder: 'What this is for' },
  { key: 'business_context', label: 'Business context', placeholder: 'Where this stands in the business' },
  { key: 'regulatory_context', label: 'Regulatory context', placeholder: 'Rules that apply' },
]

export const CONTENT_LISTS: readonly ListFieldDef[] = [
  { key: 'steps', label: 'Steps', item: 'step', placeholder: 'Describe this step' },
  { key: 'inputs', label: 'Inputs', item: 'input', placeholder: 'What goes in' },
  { key: 'outputs', label: 'Outputs', item: 'output', placeholder: 'What comes out' },
  { key: 'prerequisites', label: 'Prerequisites', item: 'prerequisite', placeholder: 'What must be true before' },
  { key: 'success_criteria', label: 'Success criteria', item: 'criterion', placeholder: 'How to know it worked' },
  { key: 'requirements', label: 'Requirements', item: 'requirement', placeholder: 'What it must do' },
  { key: 'risks', label: 'Risks', item: 'risk', placeholder: 'What can go wrong' },
]

export const METRICS: Readonly<Record<string, string>> = {
  automation_level: 'Automation level',
  avg_cycle_time_mins: 'Average cycle time (min)',
  error_rate: 'Error rate',
  compliance_score: 'Compliance score',
}

const KNOWN_ATOM_KEYS = new Set([
  'id',
  'category',
  'type',
  'name',
  'version',
  'status',
  'owner',
  'team',
  'ontologyDomain',
  'criticality',
  'phaseId',
  'moduleId',
  'content',
  'edges',
  'metrics',
])
export const isKnownAtomKey = (key: string): boolean => KNOWN_ATOM_KEYS.has(key) || key.startsWith('_')

/** A field's path in words, for "Bo is in Success criteria". */
export const fieldName = (path: string): string => {
  const [first = '', second = ''] = path.replace(/^content\./, '').split(/[./]/)
  const known = [...CONTENT_TEXTS, ...CONTENT_LISTS].find((f) => f.key === first)
  return (
    known?.label ??
    (first === 'metrics'
      ? (METRICS[second] ?? humanize(second))
      : first === 'ontologyDomain'
        ? 'Domain'
        : first === 'phaseId'
          ? 'Phase'
          : first === 'moduleId'
            ? 'Module'
            : first === 'edges'
              ? 'Links'
              : humanize(first))
  )
}

/** An id as the workspace names them: atom-bo-… by category, then the name in plain letters. */
export const suggestId = (name: string, category: string): string => {
  const prefix = category === 'CUSTOMER_FACING' ? 'cust' : category === 'SYSTEM' ? 'sys' : 'bo'
  const slug = name
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '')
  return slug ? `atom-${prefix}-${slug}` : ''
}

export const isValidId = (id: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(id) && !id.includes('..')
