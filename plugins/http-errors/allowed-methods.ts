export type KnownRoute = { readonly method: string; readonly path: string };

/** The methods that a path has routes for, HEAD beside GET, sorted. Elysia itself tells only that it found no route. */
export function allowedMethods(routes: readonly KnownRoute[], path: string): readonly string[] {
  const methods = routes.filter((route) => matches(route.path, path)).map(({ method }) => method.toUpperCase());
  return [...new Set(methods.includes("GET") ? [...methods, "HEAD"] : methods)].toSorted();
}

/** The routes that a request may have been meant for. */
export function routesAt<Route extends KnownRoute>(routes: readonly Route[], path: string, method: string): Route[] {
  return routes.filter((route) => route.method === method && matches(route.path, path));
}

/** Elysia's patterns: `:name` is one segment, `*` the rest; a slash at the end makes no difference. */
function matches(pattern: string, path: string): boolean {
  const wanted = segmentsOf(pattern);
  const found = segmentsOf(path);
  const rest = wanted.indexOf("*");
  const length = rest < 0 ? wanted.length : rest;
  if (rest < 0 ? found.length !== length : found.length < length) return false;
  return wanted.slice(0, length).every((segment, index) => segment.startsWith(":") || segment === found[index]);
}

function segmentsOf(path: string): readonly string[] {
  return path.replace(/\/$/, "").split("/").slice(1);
}
