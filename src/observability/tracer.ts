import { ProxyTracerProvider, type Tracer, trace } from "@opentelemetry/api";

/** tracer is asked for each time, since a tracer stays with the SDK that was there first. */
export const tracer = (): Tracer => trace.getTracer("bulwark");

/** isTracing tells whether an OpenTelemetry SDK listens; without one there is nobody to tell, and the work for it is spared. */
export function isTracing(): boolean {
  const provider = trace.getTracerProvider();
  return (
    !(provider instanceof ProxyTracerProvider) ||
    provider.getDelegateTracer("bulwark") !== undefined
  );
}
