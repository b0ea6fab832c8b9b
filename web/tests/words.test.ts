// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest'
import { saveText } from '../src/components/SaveState.js'
import { ago, viewingText } from '../src/components/PresenceIndicator.js'
import type { SaveState } from '../src/protocol/saving.js'
import { problemsOf } from '../src/services/api.js'

describe('words on screen', () => {
  it('only one state says that everything is saved', () => {
    const states: SaveState[] = [
      { kind: 'loading' },
      { kind: 'pending' },
      { kind: 'saving', unsaved: 1 },
      { kind: 'reconnecting', unsaved: 0 },
      { kind: 'reconnecting', unsaved: 2 },
      { kind: 'offline', unsaved: 0 },
      { kind: 'offline', unsaved: 1 },
      { kind: 'at-risk', unsaved: 3 },
      { kind: 'readonly', reason: 'r' },
    ]
    for (const state of states) expect(saveText(state)).not.toMatch(/all changes saved/i)
    expect(saveText({ kind: 'saved' })).toBe('All changes saved')
    expect(saveText({ kind: 'offline', unsaved: 1 })).toBe('Offline. 1 change kept on this device')
    expect(saveText({ kind: 'offline', unsaved: 12 })).toBe('Offline. 12 changes kept on this device')
  })

  it('counts people and time', () => {
    expect([viewingText(0), viewingText(1), viewingText(2)]).toEqual(['Only you', 'Only you', '2 people viewing'])
    expect([ago(0, 30_000), ago(0, 180_000), ago(0, 7_200_000)]).toEqual(['now', '3 minutes ago', '2 hours ago'])
  })

  it('finds the problems of one file', () => {
    const at = (path: string) => ({ path, line: 1, column: 1, text: '', user: '' })
    const all = [
      at('atoms/processes/atom-bo-x.yaml'),
      at('atoms/processes/atom-bo-xy.yaml'),
      at('modules/atom-bo-x.yaml'),
    ]
    expect(problemsOf(all, 'atoms', 'atom-bo-x')).toEqual([all[0]])
  })
})
