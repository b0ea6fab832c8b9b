import { Link } from 'wouter'
import { Page } from '../components/DocumentPage.js'
import { EmptyState } from '../components/ui/EmptyState.js'
import { usePlace } from '../hooks/usePlace.js'

export default function NotFoundPage() {
  usePlace(null, [{ label: 'Not found' }])
  return (
    <Page>
      <EmptyState
        title="There is no page here"
        actions={
          <Link href="/" className="button primary">
            Go to the explorer
          </Link>
        }
      >
        The address may be mistyped, or what it named has moved.
      </EmptyState>
    </Page>
  )
}
