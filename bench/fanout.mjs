// fanout.mjs -- ours beside npm `ws` (relay only) and @y/websocket-server, one after the other, RUNS
// times in turn. Prints each run, then medians and ratios. Needs: make build/covalent build/loadgen,
// npm ci --prefix bench/peers.     RUNS=3 node bench/fanout.mjs
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..')
const runs = Number(process.env.RUNS ?? 3)
const scratch = mkdtempSync(join(tmpdir(), 'covalent-bench-'))

const freePort = () => new Promise((done) => {
  const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)) })
})
const listening = async (port) => {
  for (let i = 0; i < 200; i++) {
    const up = await new Promise((done) => {
      const s = net.connect(port, '127.0.0.1', () => { s.destroy(); done(true) }).on('error', () => done(false))
    })
    if (up) return
    await new Promise((r) => setTimeout(r, 50))
  }
  throw new Error(`nothing listens on ${port}`)
}

const covalent = (port, n) => {
  const dir = join(scratch, `c${n}`)
  mkdirSync(join(dir, 'workspace/atoms'), { recursive: true })
  return spawn(join(root, 'build/covalent'), ['serve', '--listen', `127.0.0.1:${port}`, '--workspace',
    join(dir, 'workspace'), '--data', join(dir, 'data'), '--connections', '12000'], { stdio: ['ignore', 'ignore', 'ignore'] })
}
const servers = {
  covalent: { start: covalent, path: '/yjs/doc:bench-%d' },
  ws: { path: '/bench-%d', start: (port) => spawn('node', [join(here, 'peers/ws_relay.mjs')],
    { env: { ...process.env, PORT: String(port) }, stdio: 'ignore' }) },
  'y-websocket-server': { path: '/bench-%d', start: (port) =>
    spawn('node', [join(here, 'peers/node_modules/@y/websocket-server/src/server.js')],
      { env: { ...process.env, HOST: '127.0.0.1', PORT: String(port) }, stdio: 'ignore' }) },
}

let count = 0
const measure = async (name, options) => {
  const { start, path } = servers[name]
  const port = await freePort()
  const child = start(port, count++)
  try {
    await listening(port)
    const out = execFileSync(join(root, 'build/loadgen'), ['--name', name, '--port', String(port), '--path', path,
      '--pid', String(child.pid), ...options], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
    process.stdout.write(out)
    return JSON.parse(out)
  } finally {
    child.kill('SIGKILL')
  }
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1]
const table = async (title, options, keys) => {
  console.log(`# ${title}: loadgen ${options.join(' ')}`)
  const results = {}
  for (let i = 0; i < runs; i++)
    for (const name of Object.keys(servers)) (results[name] ??= []).push(await measure(name, options))
  const medians = Object.fromEntries(Object.entries(results).map(([name, list]) =>
    [name, Object.fromEntries(keys.map((k) => [k, median(list.map((r) => r[k]))]))]))
  for (const [name, m] of Object.entries(medians))
    console.log(`median of ${runs}  ${name.padEnd(20)}`, keys.map((k) =>
      `${k} ${m[k]} (covalent/this ${(medians.covalent[k] / m[k]).toFixed(2)})`).join('  '))
}

await table('1,000 sockets in rooms of 10, 1,000 durable edits/s', ['--sockets', '1000', '--per-room', '10', '--rate',
  '1000', '--seconds', process.env.SECONDS ?? '5'], ['p50_ms', 'p95_ms', 'p99_ms', 'cpu_us_per_delivery'])
await table('memory of 10,000 idle connections', ['--sockets', '10000', '--per-room', '10', '--idle'], ['bytes_per_connection'])
rmSync(scratch, { recursive: true, force: true })
