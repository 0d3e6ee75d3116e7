import { z } from "zod";
import { type Bulwark, isServedOrigin, REPORTS_PATH } from "../bulwark/index.ts";
import {
  type AnyRoute,
  BaseAPIError,
  JSON_LIMITS,
  parseContentType,
  parseJson,
  ResponseBuilder,
  ValidationError,
} from "../core/index.ts";
import { type BrowserReport, parseReports, REPORT_TYPES } from "../headers/index.ts";
import { withRateLimit } from "../rate-limit/index.ts";
import { administrator } from "./admin/index.ts";
import { page } from "./page-query.ts";
import { ReportStore } from "./report-store.ts";

const MAX_BYTES = 65_536;

/** Beside the limit of each address: every report is a statement, and many addresses are soon found. */
const inAll = withRateLimit({ requests: 600, window: "1m", keyGenerator: () => "all" });

const ReportQuery = z.strictObject({ ...page, type: z.string().max(64).optional() });

const ReportGroup = z
  .strictObject({
    id: z.uuid(),
    type: z.string().meta({ examples: ["csp-violation"] }),
    document: z.string().meta({ description: "The page, without query and fragment." }),
    subject: z
      .string()
      .nullable()
      .meta({ examples: ["script-src-elem"] }),
    blocked: z.string().nullable(),
    source: z.string().nullable(),
    line: z.int().nullable(),
    disposition: z.enum(["enforce", "report"]),
    count: z.int().positive(),
    firstSeenAt: z.iso.datetime(),
    lastSeenAt: z.iso.datetime(),
  })
  .meta({ id: "ReportGroup" });

/**
 * reportRoutes collect what browsers report of our pages, and show it to administrators. Whoever sends a report is not asked who they
 * are, and told nothing.
 */
export function reportRoutes(bulwark: Bulwark): readonly AnyRoute[] {
  const { clock, database, handlers } = bulwark;
  const store = new ReportStore({ database, clock });
  const count = meterOf(bulwark);

  const collect = handlers.SignInHandler.POST(
    inAll(async ({ request }) => {
      const reports = parseReports(await readBody(request).catch(refused(count)));
      if (reports === undefined) {
        count("malformed", "unknown");
        const detail = { field: "", message: "Expected a report of a browser.", code: "invalid" };
        throw new ValidationError([detail]);
      }
      const ours = reports.filter((report) => isOurs(bulwark, report));
      await store.collect(ours);
      for (const report of reports)
        count(ours.includes(report) ? "stored" : "foreign", report.type);
      return new Response(null, { status: 204 });
    }),
    {
      path: REPORTS_PATH,
      requireAuth: false,
      maxBodyBytes: MAX_BYTES,
      rateLimit: { requests: 60, window: "1m" },
      status: 204,
      errors: [
        "INVALID_REQUEST",
        "VALIDATION_ERROR",
        "PAYLOAD_TOO_LARGE",
        "UNSUPPORTED_MEDIA_TYPE",
      ],
      summary: "What browsers report: breaches of a page's policy, and more",
    },
  );

  const list = handlers.AuthenticatedAPIHandler.GET(
    administrator(bulwark)(async (context) => {
      const query = context.query as z.infer<typeof ReportQuery>;
      const { rows, total } = await store.list(query);
      return ResponseBuilder.paginated(rows, { page: query.page, limit: query.limit, total });
    }),
    {
      path: "/api/admin/reports",
      requireAuth: true,
      query: ReportQuery,
      response: z.array(ReportGroup),
      errors: ["MFA_REQUIRED", "REAUTHENTICATION_REQUIRED"],
      summary: "What browsers reported, alike ones together, the last one first",
    },
  );
  return [collect, list];
}

type Count = (outcome: "stored" | "foreign" | "malformed", type: string) => void;

/** Types are a few names of ours: whatever a report calls itself otherwise is left out when it is read. */
const meterOf =
  ({ observability: { metrics } }: Bulwark): Count =>
  (outcome, type) =>
    metrics
      .counter("bulwark_browser_reports_total", "Reports of browsers.", { outcome, type })
      .add();

const refused =
  (count: Count) =>
  (error: unknown): never => {
    count("malformed", "unknown");
    throw error;
  };

/** Browsers have media types of their own for it, so that it is read here and not by the route's schema. */
async function readBody(request: Request): Promise<unknown> {
  const media = parseContentType(request.headers.get("content-type"));
  if (media === undefined || !REPORT_TYPES.includes(media.type)) {
    throw new BaseAPIError(
      "UNSUPPORTED_MEDIA_TYPE",
      `The body must be ${REPORT_TYPES.join(", ")}.`,
    );
  }
  return parseJson(new Uint8Array(await request.arrayBuffer()), JSON_LIMITS);
}

/** Reports of other people's pages would fill the table with what nobody here can mend. */
function isOurs({ cors, handlers }: Bulwark, { document }: BrowserReport): boolean {
  if (!URL.canParse(document)) return false;
  const { host, origin } = new URL(document);
  return handlers.BaseAPIHandler.kernel.isHostAllowed(host) || isServedOrigin(cors?.policy, origin);
}
