/** A process that asks the API when it is told to, so that reading a large answer does not delay who measures. */
export type TableRequest = {
  readonly method: string;
  readonly url: string;
  readonly token: string;
  readonly body?: unknown;
};

/** Times in ms since the request was sent. */
export type TableAnswer = {
  readonly status: number;
  readonly firstByte: number;
  readonly lastByte: number;
  readonly bytes: number;
  /** Of an error. */
  readonly text: string;
};

process.on("message", (request: TableRequest) => {
  void ask(request).then((answer) => process.send?.(answer));
});

async function ask({ method, url, token, body }: TableRequest): Promise<TableAnswer> {
  const init = { method, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" } };
  const text = body === undefined ? undefined : JSON.stringify(body);
  const started = performance.now();
  const response = await fetch(url, { ...init, ...(text === undefined ? {} : { body: text }) });
  let firstByte = 0;
  let bytes = 0;
  let error = "";
  for await (const chunk of response.body ?? []) {
    if (bytes === 0) firstByte = performance.now() - started;
    bytes += chunk.length;
    if (response.status !== 200) error += new TextDecoder().decode(chunk);
  }
  return { status: response.status, firstByte, lastByte: performance.now() - started, bytes, text: error };
}
