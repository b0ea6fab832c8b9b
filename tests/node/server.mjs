// server.mjs -- starts the real binary on a free loopback port with a workspace and data of its own.
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

/**
 * options: workspace (a folder to copy; default: an empty one), env, args, command (in front of the binary, e.g. strace).
 * The result: port, url, wsUrl, pid, dir, workspace, data, log() (stderr so far), kill9(), stop(), restart(), remove().
 */
export async function startServer(options = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'covalent-test-'))
  const server = { dir, workspace: join(dir, 'workspace'), data: join(dir, 'data'), port: 0 }
  mkdirSync(server.workspace)
  if (options.workspace) cpSync(options.workspace, server.workspace, { recursive: true })
  let child, text = ''

  const start = () => new Promise((done, fail) => {
    const words = [...(options.command ?? []), join(root, 'build/covalent'), 'serve', '--listen', `127.0.0.1:${server.port}`,
      '--workspace', server.workspace, '--data', server.data, ...(options.args ?? [])]
    child = spawn(words[0], words.slice(1), { env: { PATH: process.env.PATH, HOME: dir, ...options.env }, stdio: ['ignore', 'ignore', 'pipe'] })
    server.pid = child.pid
    const from = text.length
    child.stderr.on('data', (bytes) => {
      text += bytes
      const up = text.slice(from).match(/server\.listening address=[^\s]*:(\d+)/)
      if (up) { server.port = Number(up[1]); done() }
    })
    child.on('error', fail)
    child.on('exit', (code, signal) => fail(new Error(`server ended with ${code ?? signal}:\n${text.slice(from)}`)))
  })
  const ended = () => new Promise((done) => (child.exitCode !== null || child.signalCode !== null) ? done(child.exitCode) : child.on('exit', done))

  await start()
  Object.defineProperties(server, {
    url: { get: () => `http://127.0.0.1:${server.port}` },
    wsUrl: { get: () => `ws://127.0.0.1:${server.port}` },
  })
  server.log = () => text
  server.ended = ended                                   // its exit code, once it has ended
  server.kill9 = async () => { child.kill('SIGKILL'); await ended() }
  server.stop = async () => { child.kill('SIGTERM'); return ended() }
  server.restart = start                                 // on the same port, after kill9 or stop
  server.remove = async () => { await server.kill9(); rmSync(dir, { recursive: true, force: true }) }
  return server
}

/** Waits until check() gives something truthy; says what it waited for when it never does. */
export async function until(what, check, ms = 10000) {
  for (const end = Date.now() + ms; Date.now() < end; await new Promise((r) => setTimeout(r, 10))) {
    const value = await check()
    if (value) return value
  }
  throw new Error(`waited ${ms} ms for ${what}`)
}
