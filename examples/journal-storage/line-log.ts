/** Where lines are kept, in their order. What a storage on another engine has to write anew. */
export interface LineLog {
  /** All of them, whole ones only. */
  read(): Promise<readonly string[]>;
  /** When it is fulfilled the line is there for good, after a power cut too; when it is rejected the line is not there. */
  append(line: string): Promise<void>;
  /** Rejects when nothing can be appended now. */
  check(): Promise<void>;
  close(): Promise<void>;
}
