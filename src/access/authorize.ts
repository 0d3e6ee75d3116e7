import {
  type Awaitable,
  isPromise,
  type Kernel,
  NotFoundError,
  type Principal,
  type RequestContext,
  type Stage,
  UnauthorizedError,
} from "../core/index.ts";
import type { CompiledRule } from "./compiled-rule.ts";
import { shown } from "./names.ts";
import { explains, type Refusal, refusalOf } from "./refusals.ts";
import type { RuleIndex } from "./rule-index.ts";

/** What a policy sees: somebody acts, and the path was read; the body was not. */
export type PolicyContext = RequestContext<true, Readonly<Record<string, string>>>;

/** A policy of one's own. Nothing but true permits, and an error denies. */
export type PolicyFunction = (context: PolicyContext) => Awaitable<boolean>;

export interface AuthorizeOptions {
  /** Name of the policy in documents. Default: the function's, or the rule's. */
  readonly name?: string | undefined;
  /** Kinds of principal that a function judges besides users. Default none; rules judge keys of users by themselves. */
  readonly principals?: readonly Principal["kind"][] | undefined;
  /** Reads the object that is acted on; undefined where there is none, which is a 404. */
  readonly object?: ((context: PolicyContext) => Awaitable<object | undefined>) | undefined;
  /** Answers 404 for an object that the principal may not read, as if it were not there. Default false. */
  readonly secret?: boolean | undefined;
}

/** The decision of a rule stage on one object. */
export interface ObjectPolicy {
  readonly name: string;
  readonly action: string;
  readonly subject: string;
  decide(principal: Principal, object: object | undefined): boolean;
}

type Verdict = "pass" | Error;

/** functionStage asks a function. Whatever it throws or rejects with denies, and is logged. */
export function functionStage(
  policy: PolicyFunction,
  isExplained: boolean,
  options: AuthorizeOptions,
): Stage {
  if (options.object !== undefined || options.secret !== undefined) {
    throw new TypeError("authorize: object: expected with a rule, came with a function");
  }
  const name = options.name ?? (policy.name || "a function");
  return stageOf(name, options.principals, isExplained, (context, refuse) => {
    const judge = (allowed: unknown): Verdict =>
      allowed === true ? "pass" : refuse(`Refused by ${name}.`);
    const allowed = policy(context);
    return isPromise(allowed) ? allowed.then(judge) : judge(allowed);
  });
}

/** objectStage reads the object, where there is one to read, and asks the rules. */
export function objectStage(
  policy: ObjectPolicy,
  index: RuleIndex,
  isExplained: boolean,
  options: AuthorizeOptions,
): Stage {
  const { object: read, secret = false } = options;
  const { action, subject } = policy;
  const name = options.name ?? policy.name;
  return stageOf(name, ["userKey"], isExplained, (context, refuse) => {
    const { principal } = context;
    const judge = (object: object | undefined): Verdict => {
      if (read !== undefined && (typeof object !== "object" || object === null)) {
        return missing(subject);
      }
      if (policy.decide(principal, object)) return "pass";
      const isHidden = secret && !index.decide(principal, "read", subject, object);
      return isHidden ? missing(subject) : refuse(`Required: to ${action} ${subject}.`);
    };
    const object = read?.(context);
    return isPromise(object) ? object.then(judge) : judge(object);
  });
}

/** missing is the 404 of a kind of object. */
export const missing = (subject: string): NotFoundError =>
  new NotFoundError(subject.charAt(0).toUpperCase() + subject.slice(1));

/** ruleDecision decides by one rule beside the model's denials, which win over it. */
export const ruleDecision =
  (rule: CompiledRule, index: RuleIndex, action: string): ObjectPolicy["decide"] =>
  (principal, object = {}) => {
    try {
      return (
        !index.isDenied(principal, action, rule.rule.subject, object) &&
        rule.isGranted(principal) &&
        rule.isAbout(object, principal)
      );
    } catch {
      return false;
    }
  };

function stageOf(
  name: string,
  principals: readonly Principal["kind"][] | undefined,
  isExplained: boolean,
  decide: (context: PolicyContext, refuse: Refusal) => Awaitable<Verdict>,
): Stage {
  return {
    phase: "authorize",
    policy: { name: "authorize", options: { policy: name } },
    principals,
    bind: (kernel) => {
      const refuse = refusalOf(isExplained || explains(kernel));
      const failed = (error: unknown): Error => {
        report(kernel, name, error);
        return refuse(`${name} failed.`);
      };
      return (context) => {
        if (context.principal === undefined) return new UnauthorizedError();
        try {
          const verdict = decide(context as PolicyContext, refuse);
          return isPromise(verdict) ? verdict.catch(failed) : verdict;
        } catch (error) {
          return failed(error);
        }
      };
    },
  };
}

/** A policy that fails refuses without a word to the client; so the log has to say why. */
function report(kernel: Kernel, policy: string, error: unknown): void {
  kernel.log.error({ policy, err: error }, "a policy failed, and so denied");
}

/** onlyAction is the action of a rule that a route is opened by. Throws a TypeError only if the rule has several. */
export function onlyAction(actions: readonly string[]): string {
  const [action] = actions;
  if (actions.length === 1 && action !== undefined) return action;
  throw new TypeError(
    `authorize: expected a rule of one action, came ${shown(actions.join(", "))}`,
  );
}
