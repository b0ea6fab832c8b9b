// The real binary, killed and starved at random moments: every acknowledged edit is there afterwards, none twice, none from
// nowhere, and nobody was ever shown an edit that the crash took back (J2, A8, A9).
//   ROUNDS=50 SEED=7 node --test tests/node/crash.test.mjs
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Books } from '../crash/books.mjs'
import { Client, readBack } from '../crash/client.mjs'
import { root, startServer, until } from './server.mjs'

const seed = Number(process.env.SEED ?? Date.now() % 1e9), rounds = Number(process.env.ROUNDS ?? 5)
console.log(`# crash: SEED=${seed} ROUNDS=${rounds}`)
let state = seed
const random = (n) => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return Math.floor(state / 2 ** 32 * n) }
const sleep = (ms) => new Promise((done) => setTimeout(done, ms))

const verify = (server) => execFileSync(join(root, 'build/covalent'), ['verify', server.data], { encoding: 'utf8' })

const assertClean = (sum) => {
  for (const what of ['lost', 'takenBack', 'neverSent', 'twice']) assert.deepEqual(sum[what].slice(0, 10), [], `${what}: ${sum[what].length}`)
}

/** Clients write numbered elements into their rooms until stop() is called. */
function load(server, rooms, n, name) {
  const clients = Array.from({ length: n }, (_, i) => new Client(server.wsUrl, `${name}-${i}`, rooms.filter((_r, k) => (k + i) % 3 !== 0)))
  let count = 0
  const timer = setInterval(() => {
    for (const c of clients) {
      const ready = [...c.rooms.values()].filter((r) => r.ready)
      if (c.socket.readyState !== 1 || !ready.length) continue
      for (let k = random(4); k > 0; k--) c.write(ready[random(ready.length)].name, `${c.user}:${++count}`)
    }
  }, 5)
  return { clients, stop: () => { clearInterval(timer); clients.forEach((c) => c.end()) } }
}

test('j2 kill -9 at random moments loses nothing acknowledged and takes nothing back', { timeout: 60000 + rounds * 20000 }, async (t) => {
  const server = await startServer()
  const rooms = Array.from({ length: 6 }, (_, i) => `doc:crash-${i}`), books = new Books(rooms)
  let sum
  try {
    for (let round = 0; round < rounds; round++) {
      const { clients, stop } = load(server, rooms, 10, `r${round}`)
      await until('first acknowledgements', () => clients.every((c) => [...c.rooms.values()].some((r) => r.acked.size)), 30000)
      await sleep(random(1000))
      await server.kill9()
      stop()
      clients.forEach((c) => books.close(c))
      await server.restart()
      sum = books.judge(await readBack(server.wsUrl, rooms, until))
      assertClean(sum)
    }
    await server.kill9()
    assert.match(verify(server), /no problem/)
    t.diagnostic(`${rounds} kills: sent ${sum.sent}, acknowledged ${sum.acked}, seen by others ${sum.shown}, present ${sum.present}`)
    assert.ok(sum.acked > rounds * 10 && sum.shown > 0)
  } finally { await server.remove() }
})

test('a8 SIGTERM under load loses nothing acknowledged', { timeout: 60000 }, async () => {
  const server = await startServer()
  const rooms = ['doc:term-0', 'doc:term-1', 'doc:term-2'], books = new Books(rooms)
  try {
    const { clients, stop } = load(server, rooms, 6, 'term')
    await until('acknowledgements', () => clients.every((c) => [...c.rooms.values()].some((r) => r.acked.size > 3)), 30000)
    assert.equal(await server.stop(), 0)
    stop()
    clients.forEach((c) => books.close(c))
    await server.restart()
    assertClean(books.judge(await readBack(server.wsUrl, rooms, until)))
  } finally { await server.remove() }
})

// In front of the binary: its data directory on a small file system of its own, mounted once.
const onSmallDisk = ['bash', '-c', `
  for a in "$@"; do [ "$p" = --data ] && d=$a; p=$a; done; mkdir -p "$d"
  mountpoint -q "$d" || mount -t tmpfs -o size=3m,mode=700 tmpfs "$d" || exit 9
  exec "$@"`, 'bash']
const mayMount = () => {
  const tried = spawnSync('bash', ['-c', 'd=$(mktemp -d) && mount -t tmpfs -o size=64k tmpfs $d && umount $d && rmdir $d'])
  return tried.status === 0
}

const health = async (server) => (await fetch(`${server.url}/health`)).json()

test('a8 full disk: no acknowledgement, read-only, and it resumes by itself', { timeout: 120000, skip: !mayMount() && 'mount is not permitted here' }, async () => {
  const server = await startServer({ command: onSmallDisk })
  const rooms = ['doc:full-0', 'doc:full-1'], books = new Books(rooms)
  try {
    const writer = new Client(server.wsUrl, 'writer', rooms), observer = new Client(server.wsUrl, 'observer', rooms)
    await until('both joined', () => writer.ready && observer.ready)
    let n = 0
    await until('the disk is full', async () => {
      if (!writer.closed) for (const name of rooms) writer.write(name, `w:${++n}:${'x'.repeat(20000)}`)
      return (await health(server)).read_only
    }, 60000)
    const acked = [...writer.rooms.values()].reduce((sum, r) => sum + r.acked.size, 0)
    assert.ok(acked > 10, `${acked} acknowledged before`)

    // Reading goes on; a new edit is neither acknowledged nor shown to anybody.
    const late = new Client(server.wsUrl, 'late', rooms)
    await until('a reader joins', () => late.ready)
    late.write(rooms[0], 'late:1')
    await sleep(700)
    assert.equal(late.rooms.get(rooms[0]).acked.size, 0)
    assert.ok(![observer, writer].some((c) => c.rooms.get(rooms[0]).shown.has('late:1')))
    assert.ok((await health(server)).read_only)

    execFileSync('mount', ['-o', 'remount,size=64m', server.data])
    await until('writable again', async () => !(await health(server)).read_only, 5000)
    for (const c of [writer, late, observer]) { c.end(); books.close(c) }
    const docs = (c) => new Map([...c.rooms].map(([name, r]) => [name, r.doc]))
    const back = [writer, late].map((c) => {
      const again = new Client(server.wsUrl, c.user, rooms, docs(c))
      c.rooms.forEach((r, name) => { again.rooms.get(name).sent = r.sent; again.rooms.get(name).acked = r.acked })
      return again
    })
    await until('what was refused is saved now', () => back.every((c) => c.ready && c.saved), 15000)
    back.forEach((c) => { c.end(); books.close(c) })
    await server.kill9()
    await server.restart()
    const sum = books.judge(await readBack(server.wsUrl, rooms, until))
    assertClean(sum)
    assert.equal(sum.present, sum.sent)
  } finally {
    await server.kill9()
    spawnSync('umount', ['-l', server.data])
    await server.remove()
  }
})

const mayTrace = () => spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0
const traced = { timeout: 120000, skip: !mayTrace() && 'strace is not permitted here' }

test('a8 a failing fsync ends the process; what was acknowledged is there after a restart', traced, async () => {
  const command = ['strace', '-f', '-o', '/dev/null', '-e', 'trace=fdatasync', '-e', `inject=fdatasync:error=EIO:when=${20 + random(40)}`]
  const options = { command }
  const server = await startServer(options)
  const rooms = ['doc:eio-0', 'doc:eio-1', 'doc:eio-2'], books = new Books(rooms)
  try {
    const { clients, stop } = load(server, rooms, 5, 'eio')
    const code = await Promise.race([server.ended(), sleep(60000).then(() => 'still running')])
    stop()
    assert.ok(code !== 0 && code !== 'still running' && code !== null, `ended with ${code}`)
    assert.equal((server.log().match(/log\.failed/g) ?? []).length, 1, server.log())
    clients.forEach((c) => books.close(c))
    command.splice(0, command.length)                       // the next start is an untroubled one
    await server.restart()
    const sum = books.judge(await readBack(server.wsUrl, rooms, until))
    assertClean(sum)
    assert.ok(sum.acked > 0)
  } finally { await server.remove() }
})

test('a9 the log is synced before an edit is acknowledged or shown', traced, async () => {
  const trace = join(process.env.TMPDIR ?? '/tmp', `covalent-trace-${process.pid}`)
  const server = await startServer({ command: ['strace', '-f', '-yy', '-s', '8192', '-o', trace,
    '-e', 'trace=fdatasync,fsync,pwrite64,write,writev,send,sendto,sendmsg'] })
  const n = 20
  try {
    const writer = new Client(server.wsUrl, 'writer', ['doc:trace']), observer = new Client(server.wsUrl, 'observer', ['doc:trace'])
    const mine = writer.rooms.get('doc:trace'), theirs = observer.rooms.get('doc:trace')
    await until('both joined', () => writer.ready && observer.ready)
    for (let i = 0; i < n; i++) {
      writer.write('doc:trace', `MARK${String(i).padStart(4, '0')}`)
      await until('saved and shown', () => mine.acked.size === i + 1 && theirs.shown.size === i + 1)
    }
    writer.end(); observer.end()
    const traced = Number(readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').split(' ')[0])
    process.kill(traced, 'SIGTERM')                         // strace itself blocks signals
    assert.equal(await server.ended(), 0)
    const lines = readFileSync(trace, 'utf8').split('\n')
    for (let i = 0; i < n; i++) {
      const mark = `MARK${String(i).padStart(4, '0')}`
      const written = lines.findIndex((l) => /pwrite64\(\d+<[^>]*log\.db-wal>/.test(l) && l.includes(mark))
      assert.ok(written >= 0, `${mark} in the log`)
      const thread = lines[written].split(' ')[0]
      const synced = lines.findIndex((l, k) => k > written && l.startsWith(thread) &&
        (/fdatasync\(\d+<[^>]*log\.db-wal>.*\) *= 0/.test(l) || /fdatasync resumed.*= 0/.test(l)))
      assert.ok(synced > written, `${mark} synced`)
      const early = lines.slice(written, synced).filter((l) => /(write|writev|sendto|sendmsg)\(\d+<TCP/.test(l))
      assert.deepEqual(early, [], `${mark}: nothing leaves between its write and its sync`)
      const shown = lines.findIndex((l) => /(write|writev|sendto|sendmsg)\(\d+<TCP/.test(l) && l.includes(mark))
      assert.ok(shown > synced, `${mark} shown after the sync`)
    }
  } finally { await server.remove(); spawnSync('rm', ['-f', trace]) }
})
