import { createContext } from 'react'
import type { CollaborationService } from '../services/CollaborationService.js'

/** One connection for the whole page, its rooms multiplexed. */
export const WebSocketContext = createContext<CollaborationService | null>(null)
