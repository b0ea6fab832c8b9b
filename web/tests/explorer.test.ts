import { describe, expect, it } from 'vitest'
import type { AtomRow } from '../src/services/api.js'
import {
  buildTree,
  flattenTree,
  formatQuery,
  matches,
  parseQuery,
  pathTo,
  pruneTree,
  rank,
} from '../src/services/explorer.js'
import { fieldName, humanize, isValidId, suggestId } from '../src/services/vocabulary.js'

const atom = (id: string, more: Partial<AtomRow> = {}): AtomRow => ({
  id,
  name: id,
  type: 'PROCESS',
  summary: '',
  owner: 'Sarah Chen',
  team: 'Closing',
  status: 'ACTIVE',
  category: 'BACK_OFFICE',
  criticality: 'HIGH',
  moduleId: null,
  phaseId: null,
  edges: [],
  ...more,
})

const lists = {
  atoms: [
    atom('a', { moduleId: 'm1' }),
    atom('b'),
    atom('c'),
    atom('loose', { name: 'Título wire', type: 'DECISION' }),
  ],
  modules: [
    { id: 'm1', name: 'M1', owner: '', atoms: ['b', 'gone'], phaseId: null },
    { id: 'm2', name: 'M2', owner: '', atoms: ['c', 'b'], phaseId: 'p2' },
    { id: 'm3', name: 'M3', owner: '', atoms: [], phaseId: null },
  ],
  phases: [
    { id: 'p2', name: 'P2', modules: [], journeyId: 'j', sequence: 2 },
    { id: 'p1', name: 'P1', modules: ['m1'], journeyId: null, sequence: 1 },
  ],
  journeys: [{ id: 'j', name: 'J', phases: ['p1'] }],
}

describe('tree', () => {
  it('places by the lists and by the back references, once each, and keeps the rest', () => {
    const tree = buildTree(lists)
    const lines = flattenTree(tree, () => true).map(
      (f) => `${' '.repeat(f.depth)}${f.node.kind} ${f.node.id} ${f.node.count}`,
    )
    expect(lines).toEqual([
      'journey j 4',
      ' phase p1 2',
      '  module m1 2',
      '   atom b 1',
      '   atom a 1',
      ' phase p2 2',
      '  module m2 2',
      '   atom c 1',
      '   atom b 1',
      'group modules 0',
      ' module m3 0',
      'group atoms 1',
      ' atom loose 1',
    ])
    expect(new Set(flattenTree(tree, () => true).map((f) => f.node.key)).size).toBe(lines.length)
  })

  it('finds the way to an entity and prunes what does not fit', () => {
    const tree = buildTree(lists)
    expect(pathTo(tree, 'atom', 'b').map((n) => n.id)).toEqual(['j', 'p1', 'm1', 'b'])
    expect(pathTo(tree, 'atom', 'nowhere')).toEqual([])
    expect(flattenTree(pruneTree(tree, new Set(['c'])), () => true).map((f) => f.node.id)).toEqual([
      'j',
      'p2',
      'm2',
      'c',
    ])
  })
})

describe('query', () => {
  it('reads words and chips and writes them back', () => {
    const text = 'type:DECISION owner:"Sarah Chen" wire transfer'
    const query = parseQuery(text)
    expect(query).toEqual({
      words: ['wire', 'transfer'],
      chips: [
        { field: 'type', value: 'DECISION' },
        { field: 'owner', value: 'Sarah Chen' },
      ],
    })
    expect(formatQuery(query)).toBe(text)
    expect(parseQuery('nonsense:x').words).toEqual(['nonsense:x'])
  })

  it('chips of one field are alternatives, different fields must all hold', () => {
    const find = (q: string) => lists.atoms.filter((a) => matches(a, parseQuery(q))).map((a) => a.id)
    expect(find('type:decision type:process')).toHaveLength(4)
    expect(find('type:decision status:draft')).toEqual([])
    expect(find('category:"back office"')).toHaveLength(4)
    expect(find('TÍTULO')).toEqual(['loose'])
  })

  it('ranks names before ids', () => {
    const names = [
      { name: 'Order title', id: 'x' },
      { name: 'Other', id: 'title-1' },
      { name: 'Title review', id: 'y' },
      { name: 'Subtitle', id: 'z' },
    ]
    expect(names.sort((a, b) => rank(a, ['title']) - rank(b, ['title'])).map((n) => n.name)).toEqual([
      'Title review',
      'Order title',
      'Subtitle',
      'Other',
    ])
  })
})

describe('words', () => {
  it('are for people', () => {
    expect(humanize('BACK_OFFICE')).toBe('Back office')
    expect(fieldName('content.success_criteria/abc')).toBe('Success criteria')
    expect(fieldName('metrics/error_rate')).toBe('Error rate')
    expect(fieldName('moduleId')).toBe('Module')
    expect(fieldName('content.exceptions/x/condition')).toBe('Exceptions')
  })

  it('make ids that are safe', () => {
    expect(suggestId('Prüfe the Flood Zone!', 'SYSTEM')).toBe('atom-sys-prufe-the-flood-zone')
    expect(suggestId('漢字', 'BACK_OFFICE')).toBe('')
    expect(isValidId('atom-bo-x')).toBe(true)
    for (const bad of ['', '../etc', 'a/b', '.hidden', 'a..b', 'x'.repeat(129), 'a\u0000'])
      expect(isValidId(bad)).toBe(false)
  })
})
