import { useEffect } from 'react'
import { place, type Crumb } from '../services/uiState.js'

/** Tell the frame what the page shows: title, crumbs, the document whose people and saving it shows. */
export const usePlace = (room: string | null, crumbs: readonly Crumb[]): void => {
  const sign = JSON.stringify(crumbs)
  useEffect(() => {
    place.setState({ room, crumbs: JSON.parse(sign) as Crumb[] }, true)
    const last = (JSON.parse(sign) as Crumb[]).at(-1)
    document.title = last ? `${last.label} · Covalent` : 'Covalent'
  }, [room, sign])
  useEffect(() => () => place.setState({ room: null, crumbs: [] }, true), [])
}
