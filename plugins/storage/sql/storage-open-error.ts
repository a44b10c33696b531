/** The database cannot be used; the message says why and what to do. */
export class StorageOpenError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StorageOpenError";
  }
}
