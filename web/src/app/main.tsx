import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { setNonce } from 'get-nonce'
import { createRoot } from 'react-dom/client'
import '../styles/base.css'
import '../styles/tokens.css'
import { applyTheme } from '../services/uiState.js'
import { App } from './App.js'

// Dialogs lock the page's scrolling with a <style>; the content security policy lets it in by its nonce.
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce
if (nonce) setNonce(nonce)

applyTheme()

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 60_000,
      gcTime: 3_600_000,
      refetchOnWindowFocus: false,
      retry: 2,
      retryDelay: (n) => Math.min(4000, 400 * 2 ** n),
    },
  },
})

createRoot(document.getElementById('root')!).render(
  <QueryClientProvider client={queries}>
    <App />
  </QueryClientProvider>,
)
