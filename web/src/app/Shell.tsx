/** The frame around every page: bar, tree, page, side panel, footer, and the layers above them. */
import { lazy, Suspense, useEffect, useRef } from 'react'
import { Route, Switch, useLocation } from 'wouter'
import { useStore } from 'zustand'
import { CreateAtomDialog } from '../components/CreateAtomDialog.js'
import { LockScreen } from '../components/LockScreen.js'
import { NameDialog } from '../components/NameDialog.js'
import { OfflineBanner } from '../components/OfflineBanner.js'
import { viewingText } from '../components/PresenceIndicator.js'
import { RefusedEdits } from '../components/RefusedEdits.js'
import { SaveState } from '../components/SaveState.js'
import { ShortcutSheet } from '../components/ShortcutSheet.js'
import { SideNav } from '../components/SideNav.js'
import { SidePanel } from '../components/SidePanel.js'
import { TopBar } from '../components/TopBar.js'
import { Kbd } from '../components/ui/Kbd.js'
import { Skeleton } from '../components/ui/Skeleton.js'
import { Toasts } from '../components/ui/Toasts.js'
import { useConnection } from '../hooks/useConnection.js'
import { useIdentity } from '../hooks/useIdentity.js'
import { useMediaQuery } from '../hooks/useMediaQuery.js'
import { useOpenRoom, useRoom } from '../hooks/useRoom.js'
import { useShortcuts } from '../hooks/useShortcut.js'
import { useWebSocket } from '../hooks/useWebSocket.js'
import { useWorkspacePeople } from '../hooks/useWorkspace.js'
import { rootsOf } from '../services/entityDocument.js'
import { flatten } from '../services/flatten.js'
import { announcement, panels, place, setPanel } from '../services/uiState.js'
import './shell.css'

const Explorer = lazy(() => import('../pages/Explorer.js'))
const Atom = lazy(() => import('../pages/Atom.js'))
const Group = lazy(() => import('../pages/Group.js'))
const Workflow = lazy(() => import('../pages/Workflow.js'))
const NotFound = lazy(() => import('../pages/NotFound.js'))
const CommandPalette = lazy(() => import('../components/CommandPalette.js'))

/** The editor is fetched while nothing else is to do, so that the first document opens at once. */
const prefetchEditor = (): (() => void) => {
  const fetchAll = () =>
    void Promise.all([import('../pages/Atom.js'), import('../components/collab/TextField.js')]).catch(() => undefined)
  if (!('requestIdleCallback' in window)) {
    const timer = setTimeout(fetchAll, 1500)
    return () => clearTimeout(timer)
  }
  const handle = requestIdleCallback(fetchAll, { timeout: 4000 })
  return () => cancelIdleCallback(handle)
}

const SEQUENCE_MS = 1500

export const Shell = () => {
  const { me } = useWebSocket()
  const { room } = useStore(place)
  const open = useStore(panels)
  const scroll = useRef<HTMLDivElement>(null)
  const [location] = useLocation()
  const opened = useOpenRoom(room)
  const hasDocument = useRoom(opened, (s) => s.loaded && s.refusal === null) && room !== null
  const canCreate = me.role !== 'viewer' && me.role !== 'commenter'
  const isWide = useMediaQuery('(min-width: 1100px)')
  const isNarrow = useMediaQuery('(max-width: 760px)')
  useKeys(canCreate)
  useEffect(prefetchEditor, [])

  useEffect(() => {
    scroll.current?.scrollTo({ top: 0 })
  }, [location])

  const showTree = isNarrow ? open.drawer : open.tree
  const showSide = hasDocument && open.side && isWide
  const exportText = () =>
    opened && room ? [...flatten(rootsOf(room, opened.doc))].map(([path, value]) => `${path}: ${value}`).join('\n') : ''
  return (
    <div className="shell" data-tree={showTree || undefined} data-side={showSide || undefined}>
      <a className="skip-link" href="#page">
        Skip to the page
      </a>
      <TopBar />
      {showTree && <SideNav canCreate={canCreate} />}
      {isNarrow && open.drawer && (
        <button
          type="button"
          className="drawer-shade"
          aria-label="Close the workspace tree"
          onClick={() => setPanel('drawer', false)}
        />
      )}
      <main className="content" id="page" tabIndex={-1} ref={scroll} data-scroll data-testid="page">
        <div className="banners">
          <OfflineBanner room={room} exportText={exportText} />
          <RefusedEdits />
        </div>
        <Suspense
          fallback={
            <div className="page">
              <div className="document">
                <Skeleton width={280} height={24} />
              </div>
            </div>
          }
        >
          <Switch>
            <Route path="/">
              <Explorer scroll={scroll} />
            </Route>
            <Route path="/atom/:id">{({ id }) => <Atom id={decodeURIComponent(id)} />}</Route>
            <Route path="/module/:id">{({ id }) => <Group kind="module" id={decodeURIComponent(id)} />}</Route>
            <Route path="/phase/:id">{({ id }) => <Group kind="phase" id={decodeURIComponent(id)} />}</Route>
            <Route path="/journey/:id">{({ id }) => <Group kind="journey" id={decodeURIComponent(id)} />}</Route>
            <Route path="/workflow/:id">{({ id }) => <Workflow id={decodeURIComponent(id)} />}</Route>
            <Route>
              <NotFound />
            </Route>
          </Switch>
        </Suspense>
      </main>
      {showSide && room && <SidePanel roomName={room} />}
      <Footer />
      {open.palette && (
        <Suspense>
          <CommandPalette canCreate={canCreate} />
        </Suspense>
      )}
      <ShortcutSheet open={open.shortcuts} onClose={() => setPanel('shortcuts', false)} />
      <CreateAtomDialog open={open.create} onClose={() => setPanel('create', false)} />
      {open.rename && <Rename />}
      <LockScreen />
      <Toasts />
      <LiveRegion />
    </div>
  )
}

const Rename = () => {
  const me = useIdentity()
  const close = () => setPanel('rename', false)
  return (
    <NameDialog
      current={me.data?.name ?? ''}
      onClose={close}
      onNamed={() => {
        close()
        void me.refetch()
      }}
    />
  )
}

const LiveRegion = () => {
  const sentence = useStore(announcement)
  return (
    <div className="visually-hidden" aria-live="polite" data-testid="live-region">
      {sentence}
    </div>
  )
}

const Footer = () => {
  const { room } = useStore(place)
  const { me } = useWebSocket()
  const inRoom = useRoom(useOpenRoom(room), (s) => s.people.length)
  const everybody = new Set([...useWorkspacePeople().map((p) => p.user), me.user]).size
  const isConnected = useConnection().status === 'open'
  const n = room ? Math.max(1, inRoom) : everybody
  return (
    <footer className="footer">
      <SaveState room={room} />
      {isConnected && (
        <span className="footer-people">{room ? viewingText(n) : n === 1 ? 'Only you here' : `${n} people here`}</span>
      )}
      <span className="spacer" />
      <span className="footer-hint">
        Press <Kbd keys="?" /> for shortcuts
      </span>
    </footer>
  )
}

const useKeys = (canCreate: boolean): void => {
  const [, navigate] = useLocation()
  const gAt = useRef(-SEQUENCE_MS)
  const search = () => {
    const box = document.getElementById('explorer-search')
    if (box) box.focus()
    else setPanel('palette', true)
  }
  useShortcuts([
    { key: 'k', mod: true, whileTyping: true, run: () => setPanel('palette', !panels.getState().palette) },
    { key: '/', run: search },
    { key: '?', run: () => setPanel('shortcuts', true) },
    {
      key: '[',
      run: () =>
        setPanel(
          matchMedia('(max-width: 760px)').matches ? 'drawer' : 'tree',
          !panels.getState()[matchMedia('(max-width: 760px)').matches ? 'drawer' : 'tree'],
        ),
    },
    { key: ']', run: () => setPanel('side', !panels.getState().side) },
    {
      key: 'g',
      run: () => {
        gAt.current = performance.now()
      },
    },
    {
      key: 'e',
      run: () => {
        if (performance.now() - gAt.current < SEQUENCE_MS) navigate('/')
        else
          document
            .querySelector<HTMLElement>(
              '[data-field="content.summary"] .cm-content, [data-field="description"] .cm-content',
            )
            ?.focus()
      },
    },
    ...(canCreate ? [{ key: 'n', run: () => setPanel('create', true) }] : []),
  ])
}
