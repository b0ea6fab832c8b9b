// The least a Node server can do: every binary message of a room to its other sockets. No documents,
// no disk. `PORT=... node ws_relay.mjs`
import { WebSocketServer } from 'ws'

const rooms = new Map()
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.env.PORT), perMessageDeflate: false })
server.on('connection', (socket, request) => {
  const room = rooms.get(request.url) ?? new Set()
  rooms.set(request.url, room.add(socket))
  socket.on('message', (data) => {
    for (const other of room) if (other !== socket && other.readyState === 1) other.send(data)
  })
  socket.on('close', () => room.delete(socket))
})
