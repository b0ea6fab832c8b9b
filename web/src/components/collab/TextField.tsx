/** One shared text as an editor: CodeMirror bound to a Y.Text. */
import { defaultKeymap } from '@codemirror/commands'
import { Compartment, EditorState, Prec } from '@codemirror/state'
import { drawSelection, EditorView, keymap, placeholder as placeholderText, type KeyBinding } from '@codemirror/view'
import { useEffect, useImperativeHandle, useRef, type Ref } from 'react'
import { ySync, ySyncAnnotation, ySyncFacet, YSyncConfig } from 'y-codemirror.next'
import type * as Y from 'yjs'
import type { Room } from '../../services/Room.js'
import { observeEmbedsFirst, plainText } from './plainText.js'
import { remoteSelections } from './remoteSelections.js'
import './text-field.css'

export type TextFieldHandle = {
  focus: (at: 'start' | 'end' | number) => void
  hasFocus: () => boolean
  element: () => HTMLElement | null
}

export type TextFieldKeys = {
  enter?: (before: string, after: string) => boolean // the text left and right of the caret
  pasteLines?: (lines: readonly string[], before: string, after: string) => boolean
  backspaceAtStart?: () => boolean
  deleteAtEnd?: () => boolean
  moveUp?: () => boolean
  moveDown?: () => boolean
  leaveUp?: () => boolean // the caret is on the first line
  leaveDown?: () => boolean
}

type Props = {
  room: Room
  text: Y.Text
  field: string // for others: where my caret is
  label: string
  placeholder: string
  readOnly: boolean
  singleLine?: boolean
  describedBy?: string
  keys?: TextFieldKeys
  className?: string
  ref?: Ref<TextFieldHandle>
}

const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? ''

const editable = (readOnly: boolean) => [EditorState.readOnly.of(readOnly), EditorView.editable.of(!readOnly)]

const attributes = ({ label, describedBy, readOnly, singleLine }: Props) =>
  EditorView.contentAttributes.of({
    'aria-label': label,
    'aria-multiline': singleLine ? 'false' : 'true',
    spellcheck: 'true',
    autocorrect: 'on',
    autocapitalize: 'sentences',
    ...(describedBy ? { 'aria-describedby': describedBy } : {}),
    ...(readOnly ? { 'aria-readonly': 'true', tabindex: '0' } : {}),
  })

const ownKeys = (room: Room, keys: () => TextFieldKeys): KeyBinding[] => {
  const ifPlain = (view: EditorView, fits: (at: number) => boolean, run: (() => boolean) | undefined) => {
    const { main } = view.state.selection
    return run !== undefined && main.empty && fits(main.head) && run()
  }
  const onEdgeLine = (view: EditorView, down: boolean) => {
    const here = view.coordsAtPos(view.state.selection.main.head)
    const edge = view.coordsAtPos(down ? view.state.doc.length : 0)
    return here !== null && edge !== null && Math.abs(here.top - edge.top) < 2
  }
  return [
    { key: 'Mod-z', run: () => (room.undo.undo(), true), preventDefault: true },
    { key: 'Mod-y', mac: 'Mod-Shift-z', run: () => (room.undo.redo(), true), preventDefault: true },
    { key: 'Mod-Shift-z', run: () => (room.undo.redo(), true), preventDefault: true },
    {
      key: 'Enter',
      run: (view) => {
        const { enter } = keys()
        const { from, to } = view.state.selection.main
        return enter !== undefined && !view.composing && enter(view.state.sliceDoc(0, from), view.state.sliceDoc(to))
      },
    },
    { key: 'Backspace', run: (view) => ifPlain(view, (at) => at === 0, keys().backspaceAtStart) },
    { key: 'Delete', run: (view) => ifPlain(view, (at) => at === view.state.doc.length, keys().deleteAtEnd) },
    { key: 'Alt-ArrowUp', run: () => keys().moveUp?.() ?? false },
    { key: 'Alt-ArrowDown', run: () => keys().moveDown?.() ?? false },
    { key: 'ArrowUp', run: (view) => ifPlain(view, () => onEdgeLine(view, false), keys().leaveUp) },
    { key: 'ArrowDown', run: (view) => ifPlain(view, () => onEdgeLine(view, true), keys().leaveDown) },
  ]
}

/** Several lines pasted into a list become several items; their bullets and numbers are the list's own. */
const pasteLines = (event: ClipboardEvent, view: EditorView, paste: TextFieldKeys['pasteLines']): boolean => {
  const lines = (event.clipboardData?.getData('text/plain') ?? '')
    .split(/\r?\n/)
    .map((line) => line.replace(/^\s*(?:[-*•]|\d{1,3}[.)])\s+/, '').trim())
    .filter(Boolean)
  if (lines.length < 2 || !paste) return false
  const { from, to } = view.state.selection.main
  if (!paste(lines, view.state.sliceDoc(0, from), view.state.sliceDoc(to))) return false
  event.preventDefault()
  return true
}

/** Names and titles hold no line breaks: what is pasted is joined. */
const oneLine = EditorState.transactionFilter.of((tr) => {
  if (!tr.docChanged || tr.newDoc.lines === 1 || tr.annotation(ySyncAnnotation) !== undefined) return tr
  const changes: { from: number; to: number; insert: string }[] = []
  tr.changes.iterChanges((from, to, _b, _e, insert) =>
    changes.push({ from, to, insert: insert.toString().replace(/\s*\n\s*/g, ' ') }),
  )
  return { changes, userEvent: 'input.paste' }
})

export const TextField = (props: Props) => {
  const { room, text, field, placeholder, readOnly, singleLine = false, className = '', ref } = props
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const keys = useRef<TextFieldKeys>({})
  const dynamic = useRef(new Compartment())
  keys.current = props.keys ?? {}

  useEffect(() => {
    room.undo.addTrackedOrigin(YSyncConfig)
    const stopEmbeds = observeEmbedsFirst(text)
    const created = new EditorView({
      parent: host.current!,
      state: EditorState.create({
        doc: plainText(text),
        extensions: [
          EditorState.lineSeparator.of('\n'), // positions here are positions in the Y.Text
          Prec.highest(keymap.of(ownKeys(room, () => keys.current))),
          keymap.of(defaultKeymap.filter((k) => k.key !== 'Mod-/' && k.key !== 'Mod-Enter')),
          drawSelection(),
          EditorView.lineWrapping,
          placeholderText(placeholder),
          EditorView.cspNonce.of(nonce),
          dynamic.current.of([editable(readOnly), attributes(props)]),
          ySyncFacet.of(new YSyncConfig(text, room.awareness)),
          ySync,
          ...(singleLine ? [oneLine] : []),
          EditorView.domEventHandlers({
            focus: () => room.undo.stopCapturing(),
            paste: (event, view) => pasteLines(event, view, keys.current.pasteLines),
          }),
          remoteSelections(room, text, field),
        ],
      }),
    })
    view.current = created
    return () => {
      view.current = null
      created.destroy()
      stopEmbeds()
    }
    // What may change while the text stays the same is in the compartment below.
  }, [room, text, field, placeholder, singleLine])

  useEffect(() => {
    view.current?.dispatch({ effects: dynamic.current.reconfigure([editable(readOnly), attributes(props)]) })
  }, [readOnly, props.label, props.describedBy])

  useImperativeHandle(
    ref,
    () => ({
      focus: (at) => {
        const editor = view.current
        if (!editor) return
        const anchor =
          at === 'start' ? 0 : at === 'end' ? editor.state.doc.length : Math.min(at, editor.state.doc.length)
        editor.focus()
        editor.dispatch({ selection: { anchor }, scrollIntoView: true })
      },
      hasFocus: () => view.current?.hasFocus ?? false,
      element: () => host.current,
    }),
    [],
  )

  return (
    <div className={`text-field ${className}`} ref={host} data-field={field} data-readonly={readOnly || undefined} />
  )
}

export default TextField
