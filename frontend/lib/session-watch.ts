/**
 * Knows whether the session of this page has ended, and tells when there is
 * another one. A refusal of what was asked under the session before says nothing
 * of the one that followed.
 */
export class SessionWatch {
  private isEnded = false;
  private sessions = 0;
  private listeners = new Set<() => void>();
  private renewals = new Set<() => void>();

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  ended = (): boolean => this.isEnded;

  /** Which session it is: what is asked now is asked under it. */
  current(): number {
    return this.sessions;
  }

  /** The api wants to know who asks. */
  refused(under: number): void {
    if (under === this.sessions) {
      this.set(true);
    }
  }

  /** The browser has another session: what was refused may be asked again. */
  renewed(): void {
    this.sessions++;
    this.set(false);
    for (const renew of this.renewals) {
      renew();
    }
  }

  /** Has something asked again that was refused, once there is another session; returns what ends that. */
  onRenewed(renew: () => void): () => void {
    this.renewals.add(renew);
    return () => this.renewals.delete(renew);
  }

  private set(ended: boolean): void {
    this.isEnded = ended;
    for (const listener of this.listeners) {
      listener();
    }
  }
}

/** That of this page. */
export const sessionWatch = new SessionWatch();
