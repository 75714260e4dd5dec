import type { Ora } from 'ora';
import type { ProgressEvent } from '../core/progress.js';
import { formatBytes, formatNumber } from './format.js';

type ShownEvent = Exclude<ProgressEvent, { kind: 'warning' }>;
type TransferEvent = Extract<ProgressEvent, { kind: 'transfer' }>;

export interface ProgressDisplay {
  show(event: ShownEvent): void;
  /** Clears the line that moves, so that another line can be printed; the next event draws again. */
  pause(): void;
  end(succeeded: boolean): void;
}

/**
 * Chooses how progress looks: a spinner in a terminal, plain lines in a file, a pipe or a mail of cron. Returns what makes
 * a display for one command.
 */
export async function chooseProgressDisplay(stream: NodeJS.WriteStream): Promise<() => ProgressDisplay> {
  // some pseudo-terminals say that they have no columns, and ora divides by them
  if (!stream.isTTY || !(stream.columns > 0)) return () => new LineDisplay(stream);
  // only here: loading it takes longer than a sync that has nothing to do
  const { default: ora } = await import('ora');
  // discardStdin would put the terminal into raw mode, where Ctrl-C is no signal
  return () => new SpinnerDisplay(ora({ stream, discardStdin: false }));
}

class SpinnerDisplay implements ProgressDisplay {
  readonly #spinner: Ora;
  #step: string | undefined;
  #transferStart: number | undefined;

  constructor(spinner: Ora) {
    this.#spinner = spinner;
  }

  show(event: ShownEvent): void {
    if (event.kind === 'step') {
      this.#finishStep();
      this.#step = event.text;
      this.#spinner.start(event.text);
      return;
    }
    if (this.#transferStart === undefined) {
      this.#finishStep();
      this.#transferStart = performance.now();
    }
    const seconds = (performance.now() - this.#transferStart) / 1000;
    const rate = describeRate(event.bytes, seconds);
    this.#step = `${formatNumber(event.rows)} rows, ${formatBytes(event.bytes)} ${rate}`;
    this.#spinner.text = `${drawBar(event)} ${describeTransfer(event)} ${rate}${describeRest(event.share, seconds)}`;
    if (!this.#spinner.isSpinning) this.#spinner.start();
  }

  pause(): void {
    this.#spinner.stop();
  }

  end(succeeded: boolean): void {
    if (succeeded) this.#finishStep();
    else if (this.#step !== undefined) this.#spinner.fail(this.#step);
    else this.#spinner.stop();
  }

  #finishStep(): void {
    if (this.#step !== undefined) this.#spinner.succeed(this.#step);
    this.#step = undefined;
    this.#transferStart = undefined;
  }
}

class LineDisplay implements ProgressDisplay {
  readonly #stream: NodeJS.WriteStream;
  #start: number | undefined;
  #last: TransferEvent | undefined;
  #lastNumber = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(event: ShownEvent): void {
    if (event.kind === 'step') {
      this.#finishTransfer();
      this.#stream.write(`${event.text}\n`);
      return;
    }
    this.#start ??= performance.now();
    // several move at a time, each is told once
    if (this.#last === undefined || event.tableNumber > this.#lastNumber) {
      this.#lastNumber = event.tableNumber;
      this.#stream.write(`  table ${event.tableNumber} of ${event.tableCount}: ${event.table}\n`);
    }
    this.#last = event;
  }

  pause(): void {}

  end(): void {
    this.#finishTransfer();
  }

  #finishTransfer(): void {
    if (this.#last !== undefined && this.#start !== undefined) {
      const rate = describeRate(this.#last.bytes, (performance.now() - this.#start) / 1000);
      this.#stream.write(`  ${formatNumber(this.#last.rows)} rows, ${formatBytes(this.#last.bytes)} ${rate}\n`);
    }
    this.#last = undefined;
    this.#start = undefined;
  }
}

function drawBar(event: TransferEvent): string {
  const width = 20;
  const filled = Math.round(Math.min(1, event.share) * width);
  return `[${'#'.repeat(filled)}${'-'.repeat(width - filled)}]`;
}

function describeTransfer(event: TransferEvent): string {
  const rows = `${formatNumber(event.rows)}/${formatNumber(event.totalRows)} rows`;
  return `table ${event.tableNumber} of ${event.tableCount} ${event.table}, ${rows}, ${formatBytes(event.bytes)}`;
}

function describeRate(bytes: number, seconds: number): string {
  return seconds > 0 ? `(${formatBytes(bytes / seconds)}/s)` : '';
}

/** How long it will go on as it went so far; empty before that can be said. */
function describeRest(share: number, seconds: number): string {
  if (seconds < 2 || share < 0.02 || share >= 1) return '';
  const rest = Math.max(1, Math.round((seconds * (1 - share)) / share));
  const units: [number, string][] = [
    [Math.floor(rest / 3600), 'h'],
    [Math.floor((rest % 3600) / 60), 'min'],
    [rest % 60, 's'],
  ];
  const first = units.findIndex(([value]) => value > 0);
  const shown = units.slice(first, first + 2).filter(([value]) => value > 0);
  return `, ${shown.map(([value, unit]) => `${value} ${unit}`).join(' ')} left`;
}
