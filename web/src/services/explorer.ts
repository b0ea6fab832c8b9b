/** The workspace as a tree and as a filtered list. Pure: lists in, lists out. */
import type { AtomRow, JourneyRow, ModuleRow, PhaseRow } from './api.js'

export type Lists = {
  atoms: readonly AtomRow[]
  modules: readonly ModuleRow[]
  phases: readonly PhaseRow[]
  journeys: readonly JourneyRow[]
}

export type TreeNode = {
  key: string // unique in the tree: an atom may stand in two modules
  kind: 'journey' | 'phase' | 'module' | 'atom' | 'group'
  id: string
  name: string
  count: number // atoms below
  children: TreeNode[]
  atom?: AtomRow
}

const bySequence = (a: PhaseRow, b: PhaseRow): number => (a.sequence ?? 999) - (b.sequence ?? 999)

const node = (kind: TreeNode['kind'], parent: string, id: string, name: string, children: TreeNode[]): TreeNode => ({
  key: `${parent}/${kind}:${id}`,
  kind,
  id,
  name,
  children,
  count: children.reduce((n, c) => n + c.count, 0),
})

/** journey > phase > module > atom; what is in none of them follows in groups of its own. */
export const buildTree = ({ atoms, modules, phases, journeys }: Lists): TreeNode[] => {
  const atomById = new Map(atoms.map((a) => [a.id, a]))
  const moduleById = new Map(modules.map((m) => [m.id, m]))
  const placedAtoms = new Set<string>(),
    placedModules = new Set<string>(),
    placedPhases = new Set<string>()

  const atomNode = (parent: string, a: AtomRow): TreeNode => {
    placedAtoms.add(a.id)
    return { key: `${parent}/atom:${a.id}`, kind: 'atom', id: a.id, name: a.name, count: 1, children: [], atom: a }
  }
  const moduleNode = (parent: string, m: ModuleRow): TreeNode => {
    placedModules.add(m.id)
    const key = `${parent}/module:${m.id}`
    const listed = m.atoms.map((id) => atomById.get(id)).filter((a) => a !== undefined)
    const own = atoms.filter((a) => a.moduleId === m.id && !m.atoms.includes(a.id))
    return node(
      'module',
      parent,
      m.id,
      m.name,
      [...listed, ...own].map((a) => atomNode(key, a)),
    )
  }
  const phaseNode = (parent: string, p: PhaseRow): TreeNode => {
    placedPhases.add(p.id)
    const key = `${parent}/phase:${p.id}`
    const listed = p.modules.map((id) => moduleById.get(id)).filter((m) => m !== undefined)
    const own = modules.filter((m) => m.phaseId === p.id && !p.modules.includes(m.id))
    return node(
      'phase',
      parent,
      p.id,
      p.name,
      [...listed, ...own].map((m) => moduleNode(key, m)),
    )
  }
  const journeyNode = (j: JourneyRow): TreeNode => {
    const key = `/journey:${j.id}`
    const listed = j.phases.map((id) => phases.find((p) => p.id === id)).filter((p) => p !== undefined)
    const own = phases.filter((p) => p.journeyId === j.id && !j.phases.includes(p.id)).sort(bySequence)
    return node(
      'journey',
      '',
      j.id,
      j.name,
      [...listed, ...own].map((p) => phaseNode(key, p)),
    )
  }
  const group = (id: string, name: string, children: (parent: string) => TreeNode[]): TreeNode[] => {
    const inside = children(`/group:${id}`)
    return inside.length > 0 ? [node('group', '', id, name, inside)] : []
  }

  return [
    ...journeys.map(journeyNode),
    ...group('phases', 'Not in a journey', (key) =>
      phases
        .filter((p) => !placedPhases.has(p.id))
        .sort(bySequence)
        .map((p) => phaseNode(key, p)),
    ),
    ...group('modules', 'Not in a phase', (key) =>
      modules.filter((m) => !placedModules.has(m.id)).map((m) => moduleNode(key, m)),
    ),
    ...group('atoms', 'Not in a module', (key) =>
      atoms.filter((a) => !placedAtoms.has(a.id)).map((a) => atomNode(key, a)),
    ),
  ]
}

/** The tree with only those atoms, and without what is empty then. */
export const pruneTree = (nodes: readonly TreeNode[], keep: ReadonlySet<string>): TreeNode[] =>
  nodes.flatMap((n) => {
    if (n.kind === 'atom') return keep.has(n.id) ? [n] : []
    const children = pruneTree(n.children, keep)
    return children.length > 0 ? [{ ...n, children, count: children.reduce((sum, c) => sum + c.count, 0) }] : []
  })

export type FlatNode = { node: TreeNode; depth: number; position: number; siblings: number }

export const flattenTree = (nodes: readonly TreeNode[], isOpen: (key: string) => boolean, depth = 0): FlatNode[] =>
  nodes.flatMap((node, i) => [
    { node, depth, position: i + 1, siblings: nodes.length },
    ...(node.children.length > 0 && isOpen(node.key) ? flattenTree(node.children, isOpen, depth + 1) : []),
  ])

export const allKeys = (nodes: readonly TreeNode[]): string[] =>
  nodes.flatMap((n) => (n.children.length > 0 ? [n.key, ...allKeys(n.children)] : []))

/** The keys from the top to the first place of an entity. */
export const pathTo = (nodes: readonly TreeNode[], kind: string, id: string): TreeNode[] => {
  for (const n of nodes) {
    if (n.kind === kind && n.id === id) return [n]
    const below = pathTo(n.children, kind, id)
    if (below.length > 0) return [n, ...below]
  }
  return []
}

// ---- the query: words and chips, as text -----------------------------------------------------

export const CHIP_FIELDS = ['type', 'status', 'criticality', 'category', 'owner', 'team'] as const
export type ChipField = (typeof CHIP_FIELDS)[number]
export type Query = { words: string[]; chips: { field: ChipField; value: string }[] }

export const parseQuery = (query: string): Query => {
  const result: Query = { words: [], chips: [] }
  for (const [, field, quoted, plain, word] of query.matchAll(/(\w+):(?:"([^"]*)"|(\S+))|(\S+)/g)) {
    const known = CHIP_FIELDS.find((f) => f === field?.toLowerCase())
    const value = quoted ?? plain
    if (known && value) result.chips.push({ field: known, value })
    else result.words.push((word ?? `${field}:${value ?? ''}`).toLowerCase())
  }
  return result
}

export const formatQuery = ({ words, chips }: Query): string =>
  [...chips.map(({ field, value }) => `${field}:${/\s/.test(value) ? `"${value}"` : value}`), ...words].join(' ')

const same = (a: string, b: string): boolean =>
  a.toLowerCase().replace(/[_\s]+/g, ' ') === b.toLowerCase().replace(/[_\s]+/g, ' ')

const haystacks = new WeakMap<AtomRow, string>()

const haystack = (a: AtomRow): string => {
  let text = haystacks.get(a)
  if (text === undefined)
    haystacks.set(a, (text = `${a.name}\n${a.id}\n${a.summary}\n${a.owner}\n${a.team}\n${a.type}`.toLowerCase()))
  return text
}

/** Chips of one field are alternatives; different fields and words must all hold. */
export const matches = (atom: AtomRow, query: Query): boolean => {
  const fields = new Set(query.chips.map((c) => c.field))
  for (const field of fields) {
    if (!query.chips.some((c) => c.field === field && same(atom[field], c.value))) return false
  }
  return query.words.every((word) => haystack(atom).includes(word))
}

/** Better matches first: the name begins with it, a word of the name does, the id, the rest. */
export const rank = (atom: { name: string; id: string }, words: readonly string[]): number => {
  const name = atom.name.toLowerCase()
  const first = words[0] ?? ''
  if (name.startsWith(first)) return 0
  if (name.includes(` ${first}`)) return 1
  if (name.includes(first)) return 2
  return atom.id.toLowerCase().includes(first) ? 3 : 4
}
