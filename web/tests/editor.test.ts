// @vitest-environment happy-dom
import { EditorState } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { describe, expect, it } from 'vitest'
import { ySync, ySyncFacet, YSyncConfig } from 'y-codemirror.next'
import { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { observeEmbedsFirst, plainText } from '../src/components/collab/plainText.js'

const edit = (text: Y.Text) => {
  observeEmbedsFirst(text)
  return new EditorView({
    parent: document.body,
    state: EditorState.create({
      doc: plainText(text),
      extensions: [
        EditorState.lineSeparator.of('\n'),
        ySyncFacet.of(new YSyncConfig(text, new Awareness(text.doc!))),
        ySync,
      ],
    }),
  })
}

const TRICKY = ['plain', 'a\r\nb', 'tab\t', '😀 and 👩‍👩‍👧', 'ends\n', '\n\n']

describe('editor and shared text', () => {
  it('the same positions whatever the characters', () => {
    for (const start of TRICKY) {
      const text = new Y.Doc().getText('t')
      text.insert(0, start)
      const view = edit(text)
      expect(view.state.sliceDoc()).toBe(start)
      view.dispatch({ changes: { from: view.state.doc.length, insert: '!' } })
      expect(text.toString()).toBe(`${start}!`)
      text.insert(0, 'é')
      expect(view.state.sliceDoc()).toBe(`é${start}!`)
    }
  })

  it('d5_an_embed_of_another_editor_breaks_nothing', () => {
    const text = new Y.Doc().getText('t')
    text.insert(0, 'ab')
    text.insertEmbed(1, { image: 'x' })
    const view = edit(text)
    expect(view.state.sliceDoc()).toBe('a\uFFFCb')
    text.insertEmbed(0, { image: 'y' })
    text.format(0, 2, { bold: true })
    view.dispatch({ changes: { from: view.state.doc.length, insert: 'c' } })
    expect(view.state.sliceDoc()).toBe('\uFFFCa\uFFFCbc')
    expect(text.toString()).toBe('abc')
    view.dispatch({ changes: { from: 0, to: 1 } })
    expect(plainText(text)).toBe('a\uFFFCbc')
  })
})
