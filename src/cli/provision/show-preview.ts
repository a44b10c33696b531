import type { Preview, ResourcePreview } from "../../../plugins/provisioner";
import type { Paint } from "../../demo/paint";
import { visible } from "../visible";

/** For `--json`. */
export function viewPreview({ trunk, rule }: Preview) {
  return { changes: [trunk, rule].filter(isChange).length, trunk: view(trunk), dispatch_rule: view(rule) };
}

const view = ({ resource, state, ids, differences }: ResourcePreview) => ({
  name: resource.name,
  ids,
  state: state.replaceAll(" ", "_"),
  differences,
});

const isChange = ({ state }: ResourcePreview): boolean => state === "missing" || state === "differs";

/** As a diff: what LiveKit has is -, what it would have is +. */
export function showPreview({ trunk, rule }: Preview, paint: Paint): readonly string[] {
  const changes = [trunk, rule].filter(isChange).length;
  const end =
    changes === 0 ? "Nothing would be changed." : `${changes === 1 ? "One" : "Both"} would be changed; nothing was.`;
  return [...showResource(trunk, paint), ...showResource(rule, paint), end];
}

function showResource({ resource, state, ids, differences }: ResourcePreview, paint: Paint): readonly string[] {
  const name = `${resource.kind} ${resource.name}`;
  if (state === "as configured") return [`${name} (${ids.join(", ")}) is as configured`];
  if (state === "several") {
    return [
      paint("red", `${name}: there are ${ids.length} of this name (${ids.join(", ")}); calls fail until there is one`),
    ];
  }
  const lines = Object.entries(differences).flatMap(([field, { from, to }]) => [
    ...(from === null ? [] : [paint("red", `  - ${visible(`${field}: ${JSON.stringify(from)}`)}`)]),
    paint("green", `  + ${visible(`${field}: ${JSON.stringify(to)}`)}`),
  ]);
  const what = state === "missing" ? `${name} would be created` : `${name} (${ids.join(", ")}) would be changed`;
  return [paint("bold", what), ...lines];
}
