/** The most lists, maps and structs that one printing, copy or comparison walks through. */
const MOST_PARTS = 1_000_000

/**
 * Counts the parts of a value that a walk has met. Values may share parts, so that few of them hold very many: a walk
 * through too many ends with a RangeError, as one that runs out of stack does.
 */
export class Trail {
  private parts = 0

  step(): void {
    this.parts += 1
    if (this.parts > MOST_PARTS) throw new RangeError(`a value has more than ${MOST_PARTS} lists and maps in it`)
  }
}
