// chaos_proxy.mjs -- a TCP proxy that misbehaves on command: drops, stalls, cuts, forgets to close.
import net from 'node:net'

/**
 * To the port of a server. The result: port, url, drop() (both ends are reset at once), vanish() (what came is
 * swallowed and neither end is told: a half-open connection), stall(on) (nothing passes until stall(false)),
 * refuse(on) (new connections are reset), bytesOneByOne (in both directions), close().
 */
export async function chaosProxy(toPort) {
  const pairs = new Set()
  const proxy = { bytesOneByOne: false, count: 0 }
  let refusing = false, stalled = false
  const pass = (from, to, pair) => from.on('data', (bytes) => {
    if (pair.gone) return
    if (!proxy.bytesOneByOne) return void to.write(bytes)
    for (const byte of bytes) to.write(Uint8Array.of(byte))
  })
  const server = net.createServer((near) => {
    if (refusing) return void near.resetAndDestroy()
    const far = net.connect(toPort, '127.0.0.1')
    const pair = { near, far, gone: false }
    proxy.count++
    pairs.add(pair)
    for (const [a, b] of [[near, far], [far, near]]) {
      a.setNoDelay(true)
      pass(a, b, pair)
      if (stalled) a.pause()
      a.on('error', () => {})
      a.on('close', () => { if (!pair.gone) b.destroy(); pairs.delete(pair) })
    }
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  proxy.port = server.address().port
  proxy.url = `ws://127.0.0.1:${proxy.port}`
  proxy.drop = () => { for (const { near, far } of pairs) { near.resetAndDestroy(); far.resetAndDestroy() } }
  proxy.vanish = () => { for (const pair of pairs) { pair.gone = true; pair.near.destroy() } }
  proxy.stall = (on) => { stalled = on; for (const { near, far } of pairs) for (const s of [near, far]) on ? s.pause() : s.resume() }
  proxy.refuse = (on) => { refusing = on }
  proxy.close = () => { for (const { near, far } of pairs) { near.destroy(); far.destroy() } server.close() }
  return proxy
}
