import { initials } from '../../services/presence.js'
import './avatar.css'

type Props = {
  name: string
  colour: number
  status?: 'active' | 'idle' | 'away'
  tabs?: number
  size?: 'large' | 'small' | 'mini'
}

/** A person as a disc with initials; the status is a shape, not only a colour. Decorative: say the name beside it. */
export const Avatar = ({ name, colour, status = 'active', tabs = 1, size = 'large' }: Props) => (
  <span
    className={`avatar ${size} ${status}`}
    data-colour={colour}
    data-initials={size === 'mini' ? initials(name).charAt(0) : initials(name)}
    aria-hidden="true"
  >
    {size === 'large' && <i className={`status-dot ${status}`} />}
    {tabs > 1 && size !== 'mini' && <b className="tab-count" data-count={tabs} />}
  </span>
)
