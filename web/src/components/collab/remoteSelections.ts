/**
 * Draws other people's carets in a CodeMirror layer, outside the text box, so that its content is
 * the document's text exactly and no screen reader meets a name inside a sentence. Also tells
 * others where the caret is here, and that it left.
 */
import { EditorSelection, StateEffect, StateField, type Extension } from '@codemirror/state'
import { layer, RectangleMarker, ViewPlugin, type LayerMarker, type ViewUpdate } from '@codemirror/view'
import * as Y from 'yjs'
import type { Room } from '../../services/Room.js'
import { SelectionHub, type Caret } from './SelectionHub.js'

const setCarets = StateEffect.define<Caret[]>()

const caretField = StateField.define<Caret[]>({
  create: () => [],
  update(carets, tr) {
    for (const effect of tr.effects) if (effect.is(setCarets)) return effect.value
    if (!tr.docChanged || carets.length === 0) return carets
    return carets.map((c) => ({ ...c, anchor: tr.changes.mapPos(c.anchor, 1), head: tr.changes.mapPos(c.head, 1) }))
  },
})

const LABEL_MS = 3000

class CaretMarker implements LayerMarker {
  constructor(
    readonly box: RectangleMarker,
    readonly caret: Caret,
  ) {}

  eq(other: LayerMarker): boolean {
    return (
      other instanceof CaretMarker && this.caret.id === other.caret.id && this.sameLook(other) && this.box.eq(other.box)
    )
  }

  draw(): HTMLElement {
    const element = this.box.draw()
    element.dataset['colour'] = String(this.caret.colour)
    element.dataset['name'] = this.caret.name
    this.showLabel(element)
    return element
  }

  update(element: HTMLElement, previous: LayerMarker): boolean {
    if (!(previous instanceof CaretMarker) || !this.sameLook(previous)) return false
    if (previous.caret.head !== this.caret.head) this.showLabel(element)
    return this.box.update(element, previous.box)
  }

  private sameLook(other: CaretMarker): boolean {
    return other.caret.name === this.caret.name && other.caret.colour === this.caret.colour
  }

  /** The name fades when the caret has stood still; the caret stays. */
  private showLabel(element: HTMLElement): void {
    element.classList.add('named')
    clearTimeout(Number(element.dataset['timer']))
    element.dataset['timer'] = String(setTimeout(() => element.classList.remove('named'), LABEL_MS))
  }
}

const changed = (u: ViewUpdate): boolean =>
  u.docChanged || u.viewportChanged || u.geometryChanged || u.startState.field(caretField) !== u.state.field(caretField)

const selectionLayer = layer({
  above: false,
  class: 'remote-selections',
  update: changed,
  markers: (view) =>
    view.state
      .field(caretField)
      .flatMap((c) =>
        c.anchor === c.head
          ? []
          : RectangleMarker.forRange(view, 'remote-selection', EditorSelection.range(c.anchor, c.head)).map(
              (box) => new CaretMarker(box, c),
            ),
      ),
})

const caretLayer = layer({
  above: true,
  class: 'remote-carets',
  update: changed,
  markers: (view) =>
    view.state
      .field(caretField)
      .flatMap((c) =>
        RectangleMarker.forRange(view, 'remote-caret', EditorSelection.cursor(c.head)).map(
          (box) => new CaretMarker(box, c),
        ),
      ),
})

const clamp = (n: number, max: number): number => Math.max(0, Math.min(n, max))

export const remoteSelections = (room: Room, text: Y.Text, field: string): Extension => {
  const hub = SelectionHub.of(room.awareness)
  const follow = ViewPlugin.define((view) => ({
    destroy: hub.subscribe(text, (carets) => {
      if (carets.length === 0 && view.state.field(caretField).length === 0) return
      const max = view.state.doc.length
      view.dispatch({
        effects: setCarets.of(carets.map((c) => ({ ...c, anchor: clamp(c.anchor, max), head: clamp(c.head, max) }))),
      })
    }),
  }))
  const tell = ViewPlugin.define(() => {
    let told = false
    const leave = () => {
      if (told) room.setPresence({ field: null, cursor: null })
      told = false
    }
    return {
      update(u: ViewUpdate) {
        if (!u.docChanged && !u.selectionSet && !u.focusChanged) return
        if (!u.view.hasFocus || u.state.readOnly) return leave()
        told = true
        const { anchor, head } = u.state.selection.main
        const at = (index: number) =>
          Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(text, clamp(index, text.length)))
        room.setPresence({ field, cursor: { anchor: at(anchor), head: at(head) } })
      },
      destroy: leave,
    }
  })
  return [caretField, follow, tell, selectionLayer, caretLayer]
}
