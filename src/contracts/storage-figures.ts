/**
 * What a storage says of its contents, for the metrics. Asked at most each few seconds, also while a million deliveries wait:
 * counts stop at a bound of the storage's own, and nothing is read whole.
 */
export type StorageFigures = {
  /** Deliveries that wait to be sent, or are being sent. */
  readonly pending: number;
  /** Lanes that have some. */
  readonly lanes: number;
  /** When the event of the oldest of them came, ms since the epoch; undefined when none waits, or it is not known yet. */
  readonly oldestReceivedAt: number | undefined;
  /** Events listed as unmatched. */
  readonly unmatched: number;
  /** What is in use on the disk, about. */
  readonly bytes: number;
};
