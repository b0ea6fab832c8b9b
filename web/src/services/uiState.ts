/** State of the page around the documents, in vanilla stores: what is open, what was said, the theme. */
import { createStore } from 'zustand/vanilla'

export type Crumb = { label: string; href?: string }
export type Place = { room: string | null; crumbs: readonly Crumb[] }

/** Which document fills the page; the frame around it shows its people and its saving. */
export const place = createStore<Place>(() => ({ room: null, crumbs: [] }))

export type Panels = {
  tree: boolean
  side: boolean
  drawer: boolean
  palette: boolean
  shortcuts: boolean
  create: boolean
  rename: boolean
}
export const panels = createStore<Panels>(() => ({
  tree: remembered('tree', true),
  side: remembered('side', true),
  drawer: false,
  palette: false,
  shortcuts: false,
  create: false,
  rename: false,
}))

export const setPanel = (panel: keyof Panels, open: boolean): void => {
  panels.setState({ [panel]: open })
  if (panel === 'tree' || panel === 'side') remember(panel, open)
}

/** Shortcuts of one letter, for those who type by voice or by accident: they can be switched off. */
export const singleKeys = createStore<boolean>(() => remembered('single-keys', true))
export const setSingleKeys = (on: boolean): void => {
  singleKeys.setState(on, true)
  remember('single-keys', on)
}

export type Toast = { id: number; text: string; action?: { label: string; run: () => void } }
export const toasts = createStore<readonly Toast[]>(() => [])
let lastToast = 0
export const say = (text: string, action?: Toast['action']): void => {
  toasts.setState((all) => [...all.slice(-2), { id: ++lastToast, text, ...(action ? { action } : {}) }], true)
}
export const unsay = (id: number): void => toasts.setState((all) => all.filter((t) => t.id !== id), true)

/** The one polite live region: at most one sentence every five seconds, the newest. */
export const announcement = createStore<string>(() => '')
const ANNOUNCE_MS = 5000
let announcedAt = -ANNOUNCE_MS
let waiting: ReturnType<typeof setTimeout> | undefined
export const announce = (sentence: string): void => {
  clearTimeout(waiting)
  const waitMs = Math.max(50, announcedAt + ANNOUNCE_MS - Date.now())
  waiting = setTimeout(() => {
    announcedAt = Date.now()
    announcement.setState(sentence, true)
  }, waitMs)
}

export type Theme = 'system' | 'light' | 'dark'
export const theme = createStore<Theme>(() =>
  ['light', 'dark'].includes(recall('theme') ?? '') ? (recall('theme') as Theme) : 'system',
)
export const setTheme = (next: Theme): void => {
  theme.setState(next, true)
  try {
    localStorage.setItem('covalent.theme', next)
  } catch {
    // a browser that keeps nothing: it holds until the page closes
  }
  applyTheme()
}
export const applyTheme = (): void => {
  const next = theme.getState()
  if (next === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = next
}

function recall(key: string): string | null {
  try {
    return localStorage.getItem(`covalent.${key}`)
  } catch {
    return null
  }
}

function remembered(key: string, otherwise: boolean): boolean {
  const value = recall(key)
  return value === null ? otherwise : value === '1'
}

function remember(key: string, value: boolean): void {
  try {
    localStorage.setItem(`covalent.${key}`, value ? '1' : '0')
  } catch {
    // as above
  }
}
