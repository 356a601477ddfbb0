import { Component, type ReactNode } from "react";

/** A screen over a file of whoever wrote it: where that makes it fail, the others go on. */
export class Contained extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? (
      <p role="alert" data-testid="not-shown" className="py-16 text-center text-muted">
        What the file has for this screen cannot be shown. Others may be.
      </p>
    ) : (
      this.props.children
    );
  }
}
