import { formatByteSize } from "../../src/domain/byte-size";
import { AppError } from "../../src/domain/errors";

/**
 * The raw bytes of a request's body.
 *
 * @throws AppError `payload_too_large` as soon as more than `limit` bytes are announced or have come.
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  const announced = request.headers.get("content-length");
  if (announced !== null) {
    if (Number(announced) > limit) throw tooLarge(limit);
    // Bun reads no further than the announced length.
    return new Uint8Array(await request.arrayBuffer());
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(limit: number): AppError {
  return new AppError("payload_too_large", { message: `at most ${formatByteSize(limit)} are accepted here` });
}
