/**
 * The values that each label may have, by the label's name: a list of them, or how many different ones at most (what comes
 * after these is counted as `other`). So nobody who calls, and no caller's number, can make the metrics grow.
 */
export type MetricLabels = Readonly<Record<string, readonly string[] | { readonly max: number }>>;

export type LabelValues<Labels extends MetricLabels> = {
  readonly [Name in keyof Labels]: Labels[Name] extends readonly (infer Value extends string)[] ? Value : string;
};

export type MetricOptions<Labels extends MetricLabels> = {
  /** Letters, digits and `_`; a counter's ends in `_total`. It is shown as `sayna_sip_plugin_<plugin>_<name>`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: Labels;
};

/** A metric without labels is called without `labels`. */
type Labelled<Labels extends MetricLabels, Args extends unknown[]> = [keyof Labels] extends [never]
  ? Args
  : [...Args, labels: LabelValues<Labels>];

export interface Counter<Labels extends MetricLabels> {
  /** One more. */
  add(...args: Labelled<Labels, []>): void;
}

export interface Gauge<Labels extends MetricLabels> {
  set(...args: Labelled<Labels, [value: number]>): void;
}

export interface Histogram<Labels extends MetricLabels> {
  observe(...args: Labelled<Labels, [value: number]>): void;
}

/**
 * What a plugin counts and measures; shown by `GET /plugins/<plugin>/metrics`. Each is declared once, when the plugin is
 * created.
 *
 * @example
 * const lookups = metrics.counter({
 *   name: "lookups_total",
 *   help: "Numbers that were looked up.",
 *   labels: { result: ["found", "unknown"] },
 * });
 * lookups.add({ result: "found" });
 *
 * @throws TypeError (each of them) for a name, label or bucket that cannot be used, or a name that is there already.
 */
export interface PluginMetrics {
  /** What only grows. */
  counter<const Labels extends MetricLabels = {}>(options: MetricOptions<Labels>): Counter<Labels>;
  /** What goes up and down. */
  gauge<const Labels extends MetricLabels = {}>(options: MetricOptions<Labels>): Gauge<Labels>;
  /** How long, how much. `buckets`: their upper ends, ascending. */
  histogram<const Labels extends MetricLabels = {}>(
    options: MetricOptions<Labels> & { readonly buckets: readonly number[] },
  ): Histogram<Labels>;
}
