import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const server = 'http://127.0.0.1:8000'

// The chunks are named after what they hold. Without includeDependenciesRecursively: false a group
// swallows what its members import, and the first page then loads the editor.
export default defineConfig({
  plugins: [react()],
  html: { cspNonce: '__CSP_NONCE__' }, // the server puts a fresh nonce in its place in every answer
  server: {
    port: 5173,
    proxy: {
      '/api': server,
      '/health': server,
      '/ws': { target: server, ws: true },
      '/yjs': { target: server, ws: true },
    },
  },
  build: {
    target: 'es2022',
    manifest: true,
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [
            { name: 'react', test: /node_modules[\\/](react|react-dom|scheduler)[\\/]/ },
            {
              name: 'codemirror',
              test: /node_modules[\\/](@codemirror|@lezer|style-mod|w3c-keyname|crelt|y-codemirror\.next)/,
            },
            { name: 'yjs', test: /node_modules[\\/](yjs|lib0|y-protocols)[\\/]/ },
          ],
        },
      },
    },
  },
  test: { include: ['tests/**/*.test.{ts,tsx}'], environment: 'node', pool: 'threads' },
})
