export interface Membership {
  readonly memberId: string;
  readonly generation: number;
}

/**
 * Tells whether an assignment follows upon the one before it. A member that was silent for too long is put out and comes
 * back under another id, and one that joins while the next rebalance begins never learns what was handed out in
 * between: others may then have had its partitions, and have committed.
 */
export class Tenure {
  #last: Membership | undefined;

  /** Whether nobody else can have had what this member holds. */
  follows({ memberId, generation }: Membership): boolean {
    const last = this.#last;
    this.#last = { memberId, generation };
    return last?.memberId === memberId && generation === last.generation + 1;
  }
}
