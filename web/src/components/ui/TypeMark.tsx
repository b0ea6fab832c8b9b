import { markOf } from '../../services/vocabulary.js'

/** The shape of an atom's type; the word stands beside it or in the row. */
export const TypeMark = ({ type }: { type: string }) => <i className={`mark ${markOf(type)}`} aria-hidden="true" />
