import { expect, test } from "bun:test";
import { parseExposition, valueOf } from "./exposition";

const head = (name: string, type: string) => `# HELP ${name} Help.\n# TYPE ${name} ${type}\n`;
const histogram = (...series: string[]) => `${head("a", "histogram")}${series.join("\n")}\n`;

test("what is right is read", () => {
  const text = `${head("b_total", "counter")}b_total{x="1",y="a\\"b"} 2\n\n${histogram('a_bucket{le="1"} 1', 'a_bucket{le="+Inf"} 3', "a_sum 4", "a_count 3")}`;
  const families = parseExposition(text);
  expect(valueOf(families, 'b_total{y="a\\"b",x="1"}')).toBe(2);
  expect(valueOf(families, "a_count")).toBe(3);
});

test.each([
  ["no HELP", "# TYPE a gauge\na 1\n", "without HELP"],
  ["no TYPE", "# HELP a Help.\na 1\n", "not behind its own TYPE"],
  ["TYPE twice", `${head("a", "gauge")}a 1\n${head("a", "gauge")}`, "a second HELP"],
  ["a series twice", `${head("a", "gauge")}a{x="1",y="2"} 1\na{y="2",x="1"} 1\n`, "twice"],
  ["a label twice", `${head("a", "gauge")}a{x="1",x="2"} 1\n`, "the label x twice"],
  ["samples apart", `${head("a", "gauge")}a 1\n${head("b", "gauge")}a{x="1"} 1\n`, "not behind its own TYPE"],
  ["a counter without _total", `${head("a", "counter")}a 1\n`, "is a counter"],
  ["a gauge with _total", `${head("a_total", "gauge")}a_total 1\n`, "is a gauge"],
  ["a counter below 0", `${head("a_total", "counter")}a_total -1\n`, "is -1"],
  ["a value that is none", `${head("a", "gauge")}a undefined\n`, "no value"],
  ["NaN", `${head("a", "gauge")}a NaN\n`, "no value"],
  ["buckets that fall", histogram('a_bucket{le="1"} 2', 'a_bucket{le="+Inf"} 1', "a_sum 1", "a_count 1"), "cumulative"],
  ["another count", histogram('a_bucket{le="1"} 2', 'a_bucket{le="+Inf"} 2', "a_sum 1", "a_count 3"), "another number"],
  ["no +Inf", histogram('a_bucket{le="1"} 2', "a_sum 1", "a_count 2"), "+Inf"],
  ["no sum", histogram('a_bucket{le="+Inf"} 2', "a_count 2"), "no sum"],
  ["no end", `${head("a", "gauge")}a 1`, "does not end"],
])("%s is found", (_, text, problem) => {
  expect(() => parseExposition(text)).toThrow(problem);
});
