/** Who am I, then one service for the page, then the frame with its pages. */
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { NameDialog } from '../components/NameDialog.js'
import { EmptyState } from '../components/ui/EmptyState.js'
import { ErrorBoundary } from '../components/ui/ErrorBoundary.js'
import { WebSocketContext } from '../context/WebSocketContext.js'
import { useIdentity } from '../hooks/useIdentity.js'
import { ApiError, type Me } from '../services/api.js'
import { CollaborationService } from '../services/CollaborationService.js'
import { rootsOf } from '../services/entityDocument.js'
import { Shell } from './Shell.js'

export const App = () => {
  const me = useIdentity()
  if (me.error && !me.data) {
    if (me.error instanceof ApiError && (me.error.status === 401 || me.error.status === 403))
      return <SignedOut retry={() => void me.refetch()} />
    return (
      <main className="alone">
        <EmptyState
          title="The server does not answer"
          actions={
            <button type="button" className="button primary" onClick={() => void me.refetch()}>
              Try again
            </button>
          }
        >
          {me.error.message}
        </EmptyState>
      </main>
    )
  }
  if (!me.data)
    return (
      <main className="alone" aria-busy="true">
        <span className="visually-hidden">Opening Covalent</span>
      </main>
    )
  if (!me.data.named && me.data.mode !== 'open') return <SignedOut retry={() => void me.refetch()} />
  if (!me.data.named)
    return (
      <main className="alone">
        <NameDialog onNamed={() => void me.refetch()} />
      </main>
    )
  return <Connected key={me.data.user} me={me.data} />
}

const SignedOut = ({ retry }: { retry: () => void }) => (
  <main className="alone">
    <EmptyState
      title="You are not signed in"
      actions={
        <button type="button" className="button primary" onClick={retry}>
          Try again
        </button>
      }
    >
      Open the sign-in link you were given. Whoever runs this server makes one with{' '}
      <code>covalent token --user NAME --role editor</code>.
    </EmptyState>
  </main>
)

const socketUrl = (user: string): string =>
  `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws/${encodeURIComponent(user)}`

const Connected = ({ me }: { me: Me }) => {
  const [service, setService] = useState<CollaborationService | null>(null)
  const queries = useQueryClient()

  useEffect(() => {
    const made = new CollaborationService({ me, url: socketUrl(me.user), rootsOf })
    setService(made)
    void made.start()
    const stopListening = made.onEntities((changed) => {
      for (const kind of new Set(changed.map((c) => c.kind))) void queries.invalidateQueries({ queryKey: [kind] })
      void queries.invalidateQueries({ queryKey: ['problems'] })
    })
    const detach = listenToPage(made)
    return () => {
      detach()
      stopListening()
      void made.stop()
    }
  }, [me.user, me.name, me.role, queries])

  useRefreshAfterOutage(service)
  if (!service) return null
  return (
    <WebSocketContext value={service}>
      <ErrorBoundary what="the page">
        <Shell />
      </ErrorBoundary>
    </WebSocketContext>
  )
}

/** What happens to the page that the connection should know: input, visibility, network, closing. */
const listenToPage = (service: CollaborationService): (() => void) => {
  let noted = 0
  const onInput = () => {
    if (Date.now() - noted < 1000) return
    noted = Date.now()
    service.input()
  }
  const onVisible = () => service.visible(document.visibilityState === 'visible')
  const onOnline = () => service.online()
  const onOffline = () => service.offline()
  const onFocus = () => service.visible(true)
  const onHide = () => service.flush()
  const onUnload = (event: BeforeUnloadEvent) => {
    service.flush()
    if (service.unsaved.getState().atRisk) event.preventDefault()
  }
  const listeners: [EventTarget, string, EventListener][] = [
    [window, 'keydown', onInput],
    [window, 'pointerdown', onInput],
    [window, 'pointermove', onInput],
    [window, 'wheel', onInput],
    [document, 'visibilitychange', onVisible],
    [window, 'online', onOnline],
    [window, 'offline', onOffline],
    [window, 'focus', onFocus],
    [window, 'pagehide', onHide],
    [window, 'beforeunload', onUnload as EventListener],
  ]
  for (const [target, event, listener] of listeners)
    target.addEventListener(event, listener, { passive: event === 'wheel' || event === 'pointermove' })
  return () => {
    for (const [target, event, listener] of listeners) target.removeEventListener(event, listener)
  }
}

/** Lists may have changed while nobody could tell us. */
const useRefreshAfterOutage = (service: CollaborationService | null): void => {
  const queries = useQueryClient()
  useEffect(() => {
    if (!service) return
    let wasOpen = false
    return service.connection.subscribe((state, before) => {
      if (state.status !== 'open' || before.status === 'open') return
      if (wasOpen) void queries.invalidateQueries({ predicate: (q) => q.queryKey[0] !== 'me' })
      wasOpen = true
    })
  }, [service, queries])
}
