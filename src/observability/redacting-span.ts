import type { Attributes, Span, TimeInput } from "@opentelemetry/api";
import { redact, redactText } from "./redact.ts";

const hidden = (attributes: Attributes): Attributes => redact(attributes) as Attributes;

/** redactingSpan writes to a span with secrets hidden as in the log: in attributes, events, links, exceptions and words. */
export function redactingSpan(span: Span): Span {
  const guarded: Span = {
    spanContext: () => span.spanContext(),
    isRecording: () => span.isRecording(),
    end: (time) => span.end(time),
    setAttribute: (name, value) => guarded.setAttributes({ [name]: value }),
    setAttributes: (attributes) => chained(span.setAttributes(hidden(attributes))),
    addEvent: (name, attributesOrTime, time) =>
      chained(span.addEvent(redactText(name), withHidden(attributesOrTime), time)),
    addLink: ({ attributes, ...link }) =>
      chained(
        span.addLink(attributes === undefined ? link : { ...link, attributes: hidden(attributes) }),
      ),
    addLinks: (links) => {
      for (const link of links) guarded.addLink(link);
      return guarded;
    },
    setStatus: ({ code, message }) =>
      chained(
        span.setStatus(message === undefined ? { code } : { code, message: redactText(message) }),
      ),
    updateName: (name) => chained(span.updateName(redactText(name))),
    recordException: (exception, time) => {
      if (typeof exception === "string") return span.recordException(redactText(exception), time);
      const { name = "Error", message = "", stack = "" } = exception;
      const shown = { name, message: redactText(message), stack: redactText(stack) };
      return span.recordException(shown, time);
    },
  };
  const chained = (_written: Span): Span => guarded;
  return guarded;
}

/** The second argument of addEvent is a time where the event has no attributes. */
const withHidden = (
  given: Attributes | TimeInput | undefined,
): Attributes | TimeInput | undefined =>
  typeof given !== "object" || Array.isArray(given) || given instanceof Date
    ? given
    : hidden(given as Attributes);
