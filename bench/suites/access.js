// A decision of a policy of 200 rules on one object, beside @casl/ability with the same rules. CASL makes an ability for each user;
// ours is made for all, and is told who acts with every decision. So three cases: one user whose ability is there, as CASL is fastest;
// fifty users, of each of whom an ability is kept; and an ability made for the request, as where roles are read with each.
import { createMongoAbility, subject as marked } from "@casl/ability";
import { allOf, can, cannot, defineAccess, equals, isIn, not, ownedBy } from "../../dist/access/index.js";
import { rateOf, runSuite } from "../harness.js";

const ACTIONS = ["read", "create", "update", "delete"];
const SUBJECTS = Array.from({ length: 20 }, (_, i) => `subject${i}`);
const USERS = Array.from({ length: 50 }, (_, i) => `user-${i}`);
const STATUS = ["new", "open", "sold", "locked"];

/** Ten rules on each of twenty subjects, all of them about whoever has the role. */
const rulesOf = (subject) => [
  ...ACTIONS.map((action) => can(action, subject, { roles: ["user"], where: ownedBy("ownerId") })),
  ...ACTIONS.map((action) =>
    can(action, subject, {
      roles: ["user"],
      where: allOf(isIn("status", ["new", "open"]), not(equals("kind", "private"))),
    }),
  ),
  cannot("update", subject, { roles: ["user"], where: equals("status", "locked") }),
  cannot("delete", subject, { roles: ["user"], where: equals("kind", "kept") }),
];

const model = defineAccess({
  permissions: [],
  roles: { user: {} },
  subjects: Object.fromEntries(
    SUBJECTS.map((name) => [name, { fields: ["ownerId", "status", "kind"] }]),
  ),
  rules: SUBJECTS.flatMap(rulesOf),
});

/** The same rules as CASL has them, for one user. */
const abilityOf = (userId) =>
  createMongoAbility([
    ...SUBJECTS.flatMap((subject) => [
      ...ACTIONS.map((action) => ({ action, subject, conditions: { ownerId: userId } })),
      ...ACTIONS.map((action) => ({
        action,
        subject,
        conditions: { status: { $in: ["new", "open"] }, kind: { $ne: "private" } },
      })),
      { action: "update", subject, inverted: true, conditions: { status: "locked" } },
      { action: "delete", subject, inverted: true, conditions: { kind: "kept" } },
    ]),
  ]);

const principalOf = (userId) => ({
  kind: "user",
  userId,
  sessionId: "s",
  via: "bearer",
  methods: [],
  roles: ["user"],
});

/** What is asked: each subject and action on objects of all owners and states. */
const questions = Array.from({ length: 4_000 }, (_, i) => {
  const subject = SUBJECTS[i % SUBJECTS.length];
  const object = {
    ownerId: USERS[(i * 7) % USERS.length],
    status: STATUS[(i * 3 + (i >> 4)) % STATUS.length],
    kind: ["plain", "private", "kept"][(i >> 2) % 3],
  };
  return {
    subject,
    action: ACTIONS[(i >> 5) % ACTIONS.length],
    object,
    // CASL finds the kind of an object on it; it is written there before anything is timed.
    marked: marked(subject, { ...object }),
  };
});

const abilities = USERS.map(abilityOf);
const principals = USERS.map(principalOf);

/** The two are worth comparing only if they answer alike. */
function checkAlike() {
  let allowed = 0;
  for (const [u] of USERS.entries()) {
    for (const { subject, action, object, marked: theirs } of questions) {
      const ours = model.can(principals[u], action, subject, object);
      if (ours !== abilities[u].can(action, theirs)) {
        throw new Error(`access: ${action} ${subject} ${JSON.stringify(object)} is decided differently`);
      }
      if (ours) allowed += 1;
    }
  }
  return Math.round((allowed / (USERS.length * questions.length)) * 100);
}

export function access() {
  const share = checkAlike();
  const at = (i) => questions[i % questions.length];
  let yes = 0;
  const ours = (u, { subject, action, object }) => {
    if (model.can(u, action, subject, object)) yes += 1;
  };
  const theirs = (ability, { action, marked: object }) => {
    if (ability.can(action, object)) yes += 1;
  };
  return runSuite({
    name: "access, a policy of 200 rules",
    unit: "decisions/s",
    cases: {
      "bulwark, one user": () => rateOf((i) => ours(principals[3], at(i))),
      "@casl/ability, one user": () => rateOf((i) => theirs(abilities[3], at(i))),
      "bulwark, 50 users": () => rateOf((i) => ours(principals[i % 50], at(i))),
      "@casl/ability, 50 users": () => rateOf((i) => theirs(abilities[i % 50], at(i))),
      "@casl/ability, made for the request": () =>
        rateOf((i) => theirs(abilityOf(USERS[i % 50]), at(i)), { batch: 50 }),
    },
    ratios: [
      { case: "bulwark, one user", to: "@casl/ability, one user", atLeast: 5 },
      { case: "bulwark, 50 users", to: "@casl/ability, 50 users", atLeast: 5 },
      { case: "bulwark, 50 users", to: "@casl/ability, made for the request", atLeast: 5 },
    ],
    note: () => `the same rules, the same answers (${share} % allowed)`,
  });
}
