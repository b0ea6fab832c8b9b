declare module '*/tests/node/server.mjs' {
  type Server = {
    url: string
    wsUrl: string
    workspace: string
    kill9: () => Promise<void>
    restart: () => Promise<void>
    remove: () => Promise<void>
  }
  export const startServer: (options?: { workspace?: string }) => Promise<Server>
  export const until: (what: string, check: () => unknown, ms?: number) => Promise<unknown>
}
