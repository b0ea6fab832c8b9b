import { Component, type ReactNode } from 'react'
import { EmptyState } from './EmptyState.js'

type Props = { what: string; children: ReactNode }
type State = { error: Error | null }

/** A part that broke says so and can be tried again; the rest of the page lives on. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: null }

  static getDerivedStateFromError(error: Error): State {
    return { error }
  }

  override render(): ReactNode {
    if (!this.state.error) return this.props.children
    return (
      <EmptyState
        title={`Something broke in ${this.props.what}`}
        actions={
          <>
            <button type="button" className="button primary" onClick={() => this.setState({ error: null })}>
              Try again
            </button>
            <button
              type="button"
              className="button"
              onClick={() => void navigator.clipboard?.writeText(String(this.state.error?.stack ?? this.state.error))}
            >
              Copy the details
            </button>
          </>
        }
      >
        What you typed is kept. {this.state.error.message}
      </EmptyState>
    )
  }
}
