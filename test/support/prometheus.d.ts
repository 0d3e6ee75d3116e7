declare module "parse-prometheus-text-format" {
  /** Returns the metric families of an exposition. */
  export default function parse(text: string): unknown[];
}
