import type { StartedService } from "../../support/started-service";

export type TextAnswer = { readonly status: number; readonly headers: Headers; readonly text: string };

/** A GET whose answer is no JSON. */
export async function sendOnce(
  { service }: StartedService,
  path: string,
  token: string | undefined,
): Promise<TextAnswer> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await service.app.handle(new Request(`http://localhost${path}`, { headers }));
  return { status: response.status, headers: response.headers, text: await response.text() };
}
