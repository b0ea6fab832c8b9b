/** The REST side: reads of lists, who I am, creating and deleting. Errors carry the server's sentence. */
import { isRecord, text } from '../protocol/messages.js'

export type Me = { user: string; name: string; role: string; named: boolean; mode: string }

export type AtomRow = {
  id: string
  type: string
  name: string
  summary: string
  owner: string
  team: string
  status: string
  category: string
  criticality: string
  moduleId: string | null
  phaseId: string | null
  edges: readonly { type: string; target: string }[]
}

export type ModuleRow = { id: string; name: string; owner: string; atoms: readonly string[]; phaseId: string | null }
export type PhaseRow = {
  id: string
  name: string
  modules: readonly string[]
  journeyId: string | null
  sequence: number | null
}
export type JourneyRow = { id: string; name: string; phases: readonly string[] }
export type WorkflowRow = { id: string; name: string }
export type Problem = { path: string; line: number; column: number; text: string; user: string }

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

const request = async (path: string, init?: RequestInit): Promise<unknown> => {
  let response: Response
  try {
    response = await fetch(path, {
      credentials: 'same-origin',
      headers: { Accept: 'application/json', ...(init?.body ? { 'Content-Type': 'application/json' } : {}) },
      ...init,
    })
  } catch {
    throw new ApiError(0, 'The server cannot be reached.')
  }
  const body: unknown = await response.json().catch(() => null)
  if (!response.ok)
    throw new ApiError(
      response.status,
      isRecord(body) && typeof body['detail'] === 'string' ? body['detail'] : `The server answered ${response.status}.`,
    )
  return body
}

const post = (path: string, body: unknown) => request(path, { method: 'POST', body: JSON.stringify(body) })
const strings = (value: unknown): string[] => (Array.isArray(value) ? value.filter((v) => typeof v === 'string') : [])
const orNull = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
const records = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.filter(isRecord) : [])

export const fetchMe = async (): Promise<Me> => {
  const me = await request('/api/me')
  if (!isRecord(me)) throw new ApiError(0, 'The server did not say who you are.')
  return {
    user: text(me['user'], 128),
    name: text(me['name'], 64),
    role: text(me['role']),
    named: me['named'] === true,
    mode: text(me['mode']),
  }
}

export const chooseName = (name: string): Promise<unknown> => post('/api/auth/name', { name })

const readAtom = (a: Record<string, unknown>): AtomRow => ({
  id: text(a['id'] ?? a['atom_id'], 128),
  type: text(a['type']).toUpperCase(),
  name: text(a['name'] ?? a['title'], 400) || text(a['id'], 128),
  summary: text(a['summary'] ?? (isRecord(a['content']) ? a['content']['summary'] : ''), 2000),
  owner: text(a['owner']),
  team: text(a['team']),
  status: text(a['status']).toUpperCase(),
  category: text(a['category']).toUpperCase(),
  criticality: text(a['criticality']).toUpperCase(),
  moduleId: orNull(a['moduleId']),
  phaseId: orNull(a['phaseId']),
  edges: records(a['edges']).map((e) => ({ type: text(e['type']), target: text(e['targetId'] ?? e['target'], 128) })),
})

const PAGE = 1000

export const fetchAtoms = async (): Promise<AtomRow[]> => {
  const rows: AtomRow[] = []
  for (;;) {
    const page = await request(`/api/atoms?limit=${PAGE}&offset=${rows.length}`)
    const atoms = isRecord(page) ? records(page['atoms']).map(readAtom) : []
    rows.push(...atoms)
    if (!isRecord(page) || page['has_more'] !== true || atoms.length === 0) return rows.filter((row) => row.id !== '')
  }
}

export const fetchModules = async (): Promise<ModuleRow[]> =>
  records(await request('/api/modules')).map((m) => ({
    id: text(m['id'], 128),
    name: text(m['name'], 400) || text(m['id'], 128),
    owner: text(m['owner']),
    atoms: strings(m['atoms']),
    phaseId: orNull(m['phaseId']),
  }))

export const fetchPhases = async (): Promise<PhaseRow[]> =>
  records(await request('/api/phases')).map((p) => ({
    id: text(p['id'], 128),
    name: text(p['name'], 400) || text(p['id'], 128),
    modules: strings(p['modules']),
    journeyId: orNull(p['journeyId']),
    sequence: typeof p['sequence'] === 'number' ? p['sequence'] : null,
  }))

export const fetchJourneys = async (): Promise<JourneyRow[]> =>
  records(await request('/api/journeys')).map((j) => ({
    id: text(j['id'], 128),
    name: text(j['name'], 400) || text(j['id'], 128),
    phases: strings(j['phases']),
  }))

export const fetchWorkflows = async (): Promise<WorkflowRow[]> => {
  try {
    const body = await request('/api/workflows')
    const list = Array.isArray(body) ? body : isRecord(body) ? body['workflows'] : []
    return records(list).map((w) => ({ id: text(w['id'], 128), name: text(w['name'], 400) || text(w['id'], 128) }))
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return []
    throw error
  }
}

export const fetchProblems = async (): Promise<Problem[]> => {
  const body = await request('/api/problems')
  const list = Array.isArray(body) ? body : isRecord(body) ? body['problems'] : []
  return records(list).map((p) => ({
    path: text(p['path'], 500),
    line: Number(p['line']) || 0,
    column: Number(p['column']) || 0,
    text: text(p['text'], 500),
    user: text(p['user'], 128),
  }))
}

export const placeOf = (p: Problem): string =>
  p.line > 0 ? `${p.path}:${p.line}${p.column > 0 ? `:${p.column}` : ''}` : p.path

/** The problems of one entity's file. (A file is named after its id, but for a few modules.) */
export const problemsOf = (problems: readonly Problem[], folder: string, id: string): Problem[] =>
  problems.filter(
    (p) => p.path.startsWith(`${folder}/`) && p.path.slice(p.path.lastIndexOf('/') + 1).replace(/\.[^.]+$/, '') === id,
  )

export type NewAtom = {
  id: string
  name: string
  type: string
  category: string
  owner?: string
  team?: string
  criticality: string
  moduleId?: string
  phaseId?: string
  content?: { summary: string }
}

export const createAtom = (atom: NewAtom): Promise<unknown> => post('/api/atoms', atom)
export const deleteAtom = (id: string): Promise<unknown> =>
  request(`/api/atoms/${encodeURIComponent(id)}`, { method: 'DELETE' })
