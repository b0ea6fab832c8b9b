/** The workspace around the documents: who is where, and the lists that the explorer shows. */
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useStore } from 'zustand'
import type { WorkspacePerson } from '../protocol/messages.js'
import { fetchAtoms, fetchJourneys, fetchModules, fetchPhases, fetchProblems, fetchWorkflows } from '../services/api.js'
import { buildTree } from '../services/explorer.js'
import { useWebSocket } from './useWebSocket.js'

export const useWorkspacePeople = (): readonly WorkspacePerson[] => useStore(useWebSocket().workspace, (w) => w.people)

/** room → the others in it, one entry a person. */
export const usePeopleByRoom = (): ReadonlyMap<string, WorkspacePerson[]> => {
  const people = useWorkspacePeople()
  const { me } = useWebSocket()
  return useMemo(() => {
    const rooms = new Map<string, WorkspacePerson[]>()
    for (const person of people) {
      if (person.room === null || person.user === me.user) continue
      const there = rooms.get(person.room) ?? []
      if (!there.some((p) => p.user === person.user)) rooms.set(person.room, [...there, person])
    }
    return rooms
  }, [people, me.user])
}

export const useAtoms = () => useQuery({ queryKey: ['atom'], queryFn: fetchAtoms })
export const useModules = () => useQuery({ queryKey: ['module'], queryFn: fetchModules })
export const usePhases = () => useQuery({ queryKey: ['phase'], queryFn: fetchPhases })
export const useJourneys = () => useQuery({ queryKey: ['journey'], queryFn: fetchJourneys })
export const useWorkflows = () => useQuery({ queryKey: ['workflow'], queryFn: fetchWorkflows })
export const useProblems = () => useQuery({ queryKey: ['problems'], queryFn: fetchProblems })

export const useTree = () => {
  const atoms = useAtoms(),
    modules = useModules(),
    phases = usePhases(),
    journeys = useJourneys()
  const tree = useMemo(
    () =>
      buildTree({
        atoms: atoms.data ?? [],
        modules: modules.data ?? [],
        phases: phases.data ?? [],
        journeys: journeys.data ?? [],
      }),
    [atoms.data, modules.data, phases.data, journeys.data],
  )
  const all = [atoms, modules, phases, journeys]
  return {
    tree,
    atoms: atoms.data ?? [],
    isLoading: all.some((q) => q.isPending),
    error: all.find((q) => q.error && !q.data)?.error ?? null,
    retry: () => all.forEach((q) => void q.refetch()),
  }
}
