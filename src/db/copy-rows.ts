/** What COPY in binary format begins with: its signature, no flags, no extension. */
export const copyHeader = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');

/** What it ends with, where a row would say how many fields it has. */
export const copyTrailer = Buffer.from([0xff, 0xff]);

const bytesOfFieldCount = 2;
const bytesOfLength = 4;

/** Finds out where rows end in the bytes of a COPY in binary format. */
export class CopyRows {
  /** The trailer has passed: nothing follows. */
  #isComplete = false;
  /** How much of the header, or of the value of a field, has still to pass. */
  #contentBytes = copyHeader.length;
  /** How many fields of the row have still to pass. */
  #fields = 0;
  /** The number that passes, as far as it has. */
  #number = 0;
  #numberBytes = 0;

  /**
   * Lets bytes pass.
   * @returns where in them the last row ends that they complete; 0: nowhere
   */
  pass(bytes: Buffer): number {
    let end = 0;
    for (let position = 0; position < bytes.length; ) {
      if (this.#contentBytes > 0) {
        const passed = Math.min(this.#contentBytes, bytes.length - position);
        position += passed;
        this.#contentBytes -= passed;
      } else {
        this.#number = (this.#number << 8) | (bytes[position] ?? 0);
        position += 1;
        this.#numberBytes += 1;
        if (this.#numberBytes < (this.#fields === 0 ? bytesOfFieldCount : bytesOfLength)) continue;
        this.#takeNumber();
      }
      if (this.#fields === 0 && this.#contentBytes === 0 && !this.#isComplete) end = position;
    }
    return end;
  }

  #takeNumber(): void {
    if (this.#fields > 0) {
      this.#fields -= 1;
      // -1: null
      this.#contentBytes = Math.max(this.#number, 0);
    } else if (this.#number === copyTrailer.readUInt16BE()) {
      this.#isComplete = true;
    } else {
      this.#fields = this.#number;
    }
    this.#number = 0;
    this.#numberBytes = 0;
  }
}
