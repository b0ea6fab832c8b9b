import { Toast } from 'radix-ui'
import { useStore } from 'zustand'
import { toasts, unsay } from '../../services/uiState.js'
import './toasts.css'

/** Short notices; they stay while pointed at or focused, and never take the focus. */
export const Toasts = () => {
  const all = useStore(toasts)
  return (
    <Toast.Provider label="Notice" swipeDirection="down" duration={10_000}>
      {all.map((toast) => (
        <Toast.Root
          key={toast.id}
          className="toast"
          onOpenChange={(open) => {
            if (!open) unsay(toast.id)
          }}
        >
          <Toast.Description>{toast.text}</Toast.Description>
          {toast.action && (
            <Toast.Action asChild altText={toast.action.label}>
              <button type="button" className="button small tint" onClick={toast.action.run}>
                {toast.action.label}
              </button>
            </Toast.Action>
          )}
          <Toast.Close className="button small quiet" aria-label="Dismiss">
            Dismiss
          </Toast.Close>
        </Toast.Root>
      ))}
      <Toast.Viewport className="toasts" label="Notices ({hotkey})" />
    </Toast.Provider>
  )
}
