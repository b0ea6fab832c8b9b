import { useQuery } from '@tanstack/react-query'
import { fetchMe } from '../services/api.js'

/** Who the server says I am. */
export const useIdentity = () => useQuery({ queryKey: ['me'], queryFn: fetchMe, staleTime: Infinity, retry: 3 })
