// https://envelope.example/schema/contract/v1
// Made from the JSON Schema of the same name: change that one.

import { z } from "zod";

/** Text of `min` to `max` characters, each counted once, that `pattern` matches. */
const text = (min, max, pattern = /^/u) =>
  z.string().regex(pattern).refine(
    (text) => { const { length } = [...text]; return min <= length && length <= max; },
    { error: `a text has ${min} to ${max} characters` },
  );

const pattern1 = /^(?! )[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\x9f]$(?!\n)/u;

/** an action is made of letters, digits, `_` and `-`, joined by `.`, `:` or `/` */
export const ActionName = text(0, 128, /^[A-Za-z0-9_-]+([.:\/][A-Za-z0-9_-]+)*$(?!\n)/u);

/** How sensitive data is. The order is the sensitivity. */
export const Classification = z.enum(["public", "internal", "confidential", "restricted"]);

/** A tool the agent may call. */
export const Action = z.strictObject({
  /** The most sensitive data that may be handed to it. */
  clearance: Classification,
  /** The tool's name. */
  name: ActionName,
});

/** What is looked for in all that the agent sends to hosts and models, and what is done about it. */
export const ContentRule = z.enum(["deny:card-number", "deny:private-key", "deny:api-key", "ask:card-number", "ask:private-key", "ask:api-key"]);

/** A currency by its ISO 4217 code. A code that is not listed cannot be settled. */
export const Currency = z.enum([
  "AED", "AUD", "BGN", "BHD", "BRL", "CAD",
  "CHF", "CLP", "CNY", "CZK", "DKK", "EUR",
  "GBP", "HKD", "HUF", "IDR", "ILS", "INR",
  "ISK", "JOD", "JPY", "KRW", "KWD", "MXN",
  "MYR", "NOK", "NZD", "OMR", "PHP", "PLN",
  "RON", "SAR", "SEK", "SGD", "THB", "TND",
  "TRY", "TWD", "USD", "VND", "ZAR",
]);

/** A decimal number without a float: `value` divided by ten to the power of `places`. */
export const Decimal = z.strictObject({
  /** How many of them stand behind the point. */
  places: z.int().min(0).max(9),
  /** The digits. */
  value: z.int().min(-9007199254740991).max(9007199254740991),
});

/** What a dependency is. */
export const DependencyKind = z.enum([
  "mcp-server", "rag-index", "memory-store", "model", "plugin", "agent",
  "http-api",
]);

/** an identifier is spelled `did:<method>:<name>` */
export const Did = text(0, 240, /^did:[a-z0-9]+(:[A-Za-z0-9._%-]+)+$(?!\n)/u);

export const Digest = text(0, Infinity, /^sha256:[0-9a-f]{64}$(?!\n)/u);

/** Which query parameters may be sent. */
export const EgressQuery = z.union([
  /** None. */
  z.literal("none"),
  /** Any. */
  z.literal("any"),
  /** These names alone. */
  z.strictObject({
    only: z.array(text(1, 240, pattern1)).min(1).max(64),
  }),
]);

/** The schemes that can be spoken. */
export const EgressScheme = z.enum(["https", "http"]);

/** Which requests may leave: one rule of the runtime's egress policy. */
export const EgressRule = z.strictObject({
  /** One host, or `*.` and the domain above it. */
  host: text(1, 255, pattern1),
  /** The methods, in capitals. */
  methods: z.array(text(1, 16, pattern1)).min(1).max(64),
  /** The path patterns. */
  paths: z.array(text(1, 1024, pattern1)).min(1).max(64),
  /** The ports; none is the scheme's own. */
  ports: z.array(z.int().min(1).max(65535)).max(64).optional(),
  /** The query parameters. */
  query: EgressQuery.optional(),
  /** The schemes; plain HTTP has to be named. */
  schemes: z.array(EgressScheme).min(1).max(2).optional(),
});

/** an address is spelled `name@example.org`, its domain in lower case */
export const Email = text(0, 240, /^[A-Za-z0-9._%+-]+@[a-z0-9-]+(\.[a-z0-9-]+)+$(?!\n)/u);

/** What is kept for a criterion. */
export const Evidence = z.enum(["receipt", "journal", "output", "file", "evaluation", "review"]);

/** How firmly a dependency is pinned, from a mere claim to proof. The order is the strength. */
export const FingerprintClass = z.enum(["DECLARED", "VERSION_PINNED", "CONTENT_HASHED", "PLUGIN_SIGNED", "ATTESTED"]);

/** How much of the escrow is held. The order is the strength. */
export const Hold = z.enum(["disputed", "full"]);

/** When a human decides. The order is the strength. */
export const HumanDecides = z.enum(["last-resort", "on-split", "always"]);

/** an id is made of lower-case letters and digits, joined by single hyphens */
export const Id = text(0, 64, /^[a-z0-9]+(-[a-z0-9]+)*$(?!\n)/u);

/** One thing outside the component that shapes what the agent does. Whether its maker is a verified partner is computed when asked and never written here. */
export const Dependency = z.strictObject({
  /** The digest of the attestation that vouches for it. */
  attestation: Digest.optional(),
  /** How firmly it is pinned. */
  class: FingerprintClass,
  /** The most sensitive data it may be given. */
  classification: Classification,
  /** The digest of its content; for a plugin, of the signed artifact. */
  digest: Digest.optional(),
  /** Its name in this contract. */
  id: Id,
  /** What it is. */
  kind: DependencyKind,
  /** Where it is found. */
  locator: text(1, 1024, pattern1),
  /** The signature of its manifest, in base64. */
  signature: text(1, 512, pattern1).optional(),
  /** The name of the key that signed. */
  signer_key_id: text(1, 240, pattern1).optional(),
  /** Its version. */
  version: text(1, 64, pattern1).optional(),
});

/** Which law and which court. */
export const Law = z.strictObject({
  /** The governing law. */
  governing: text(1, 240, pattern1),
  /** Where a court would sit. */
  venue: text(1, 240, pattern1),
});

/** a schedule is named by one to three capital letters */
export const Letters = text(0, 3, /^[A-Z]+$(?!\n)/u);

/** A cap on what a party can owe. */
export const LiabilityCap = z.discriminatedUnion("kind", [
  /** What the escrow holds when the claim arises. */
  z.strictObject({
    kind: z.literal("escrow"),
  }),
  /** An amount, in the smallest unit of the price's currency. */
  z.strictObject({
    /** The amount. */
    amount: z.int().min(1).max(9007199254740991),
    kind: z.literal("amount"),
  }),
  /** A multiple of the price. */
  z.strictObject({
    kind: z.literal("price"),
    /** How many times the price. */
    times: z.int().min(1).max(100),
  }),
]);

/** How much a party can owe at most. */
export const Liability = z.strictObject({
  /** The cap. */
  cap: LiabilityCap,
  /** What the cap does not cover, in words. */
  carve_outs: z.array(text(1, 2000, pattern1)).max(16).optional(),
});

/** a media type is spelled `type/subtype` in lower case */
export const MediaType = text(0, 128, /^[a-z0-9.+-]+\/[a-z0-9.+-]+$(?!\n)/u);

/** Where a deliverable is found when the run has ended. */
export const Form = z.discriminatedUnion("kind", [
  /** The answer of the run itself, a JSON value. */
  z.strictObject({
    kind: z.literal("result"),
  }),
  /** A file below the outputs prefix. */
  z.strictObject({
    /** The largest size that is taken over. */
    bytes_max: z.int().min(1).max(9007199254740991),
    kind: z.literal("file"),
    /** What kind of file it is. */
    media_type: MediaType,
    /** The path in the workspace. */
    path: text(1, 1024, pattern1),
  }),
]);

/** One thing that is handed over. */
export const Deliverable = z.strictObject({
  /** What it is, in words. */
  description: text(1, 2000, pattern1),
  /** Where it is found when the run has ended. */
  form: Form,
  /** Its name in this contract. */
  id: Id,
  /** Its title. */
  title: text(1, 240, pattern1),
});

/** One step of delivery, with its share of the price. */
export const Milestone = z.strictObject({
  /** The criteria that release its share. */
  criteria: z.array(Id).min(1).max(20),
  /** When it is due, in days from the purchase. */
  due_days: z.int().min(1).max(366),
  /** Its name in this contract. */
  id: Id,
  /** Its title. */
  title: text(1, 240, pattern1),
  /** Its share of the price, in basis points. */
  weight: z.int().min(1).max(10000),
});

/** a model is a letter or digit, then letters, digits, `.`, `_`, `:`, `/`, `@` and `-` */
export const ModelName = text(0, 240, /^[A-Za-z0-9][A-Za-z0-9._:\/@-]*$(?!\n)/u);

/** A model and who serves it. */
export const Model = z.strictObject({
  /** The model as its provider names it. */
  name: ModelName,
  /** Who serves the model: providers with one name are one provider. */
  provider: Id,
  /** The model's version. */
  version: text(1, 64, pattern1),
});

/** One member of the panel. */
export const Evaluator = z.strictObject({
  /** Its name in this contract. */
  id: Id,
  /** The model and who serves it. */
  model: Model,
  /** The digest of the question as it is put to this model. */
  prompt: Digest,
  /** Its say, in basis points. */
  weight: z.int().min(1).max(10000),
});

/** The declared state of a release. Its digest names the behaviour that was bought. */
export const Fingerprint = z.strictObject({
  /** Everything outside the component that shapes its answers. */
  dependencies: z.array(Dependency).max(64).optional(),
  /** The model that the agent thinks with. */
  model: Model,
  /** The digest of the system prompt. */
  system_prompt: Digest,
  /** The digest of the tool manifest. */
  tools: Digest,
});

/** Where notices reach a party. */
export const Notice = z.strictObject({
  /** By post, line by line. */
  address: z.array(text(1, 240, pattern1)).min(1).max(8),
  /** By electronic mail. */
  email: Email,
});

/** A rule about a number. */
export const NumberRule = z.discriminatedUnion("kind", [
  /** Not below. */
  z.strictObject({
    /** The bound. */
    bound: Decimal,
    kind: z.literal("at-least"),
  }),
  /** Not above. */
  z.strictObject({
    /** The bound. */
    bound: Decimal,
    kind: z.literal("at-most"),
  }),
  /** Exactly. */
  z.strictObject({
    /** The number. */
    bound: Decimal,
    kind: z.literal("equals"),
  }),
]);

/** A party as owner. */
export const Owner = z.enum(["buyer", "developer"]);

/** Who owns what. */
export const Ip = z.strictObject({
  /** Who owns the deliverables once they are paid. */
  deliverables: Owner,
  /** What the other party may do with them, in words. */
  licence: text(1, 2000, pattern1),
  /** Whether the developer may learn from what the buyer hands over. */
  training: z.boolean(),
});

/** What kind of person the law sees. */
export const PersonKind = z.enum(["natural", "legal"]);

/** The verified person at which a party's delegations end. */
export const HumanRoot = z.strictObject({
  /** The identifier. */
  did: Did,
  /** A human being or an organisation that the law treats as a person. */
  kind: PersonKind,
  /** The name. */
  name: text(1, 240, pattern1),
  /** The digest of the record of how the identity was verified. */
  verification: Digest,
});

/** a pointer is empty or spelled `/key/0/key` */
export const Pointer = text(0, 240, /^((\/([A-Za-z0-9_. -]|~0|~1)*)*)$(?!\n)/u);

/** What the parties settle, in the smallest unit of one currency. */
export const Price = z.strictObject({
  /** What the developer earns when everything is accepted. */
  amount: z.int().min(1).max(9007199254740991),
  /** The currency of every amount here. */
  currency: Currency,
  /** What the buyer pays in before the work begins: the amount and the fee. */
  escrow: z.int().min(1).max(9007199254740991),
  /** What the marketplace earns; absent when it earns nothing. */
  service_fee: z.int().min(1).max(9007199254740991).optional(),
});

/** Someone who acts for a party. */
export const Principal = z.strictObject({
  /** The identifier whose keys sign. */
  did: Did,
  /** The name. */
  name: text(1, 240, pattern1),
  /** The office held: director, head of procurement. */
  role: text(1, 240, pattern1),
});

/** One side of the contract. */
export const Party = z.strictObject({
  /** The identifier whose keys sign for this party. */
  did: Did,
  /** The person at the end of every delegation. */
  human_root: HumanRoot,
  /** The full legal name. */
  name: text(1, 240, pattern1),
  /** Where notices reach the party. */
  notice: Notice,
  /** Who may act for the party. */
  principals: z.array(Principal).min(1).max(16),
});

/** The two sides of the contract. The marketplace is not one of them. */
export const Parties = z.strictObject({
  /** Who pays and authorises. */
  buyer: Party,
  /** Who answers for the agent's logic. */
  developer: Party,
});

/** One release: the bytes that run and what they depend on. */
export const Release = z.strictObject({
  /** The digest of the agent card. */
  card: Digest,
  /** The digest of the component. */
  component: Digest,
  /** The declared state, warranted by the developer. */
  fingerprint: Fingerprint,
  /** The release's version. */
  version: text(1, 64, pattern1),
});

/** The agent that does the work. */
export const Agent = z.strictObject({
  /** The agent's identifier. */
  did: Did,
  /** The agent's name in the registry. */
  name: text(1, 240, pattern1),
  /** The release that runs, and no other. */
  release: Release,
  /** The skill of the agent that is engaged. */
  skill: Id,
});

/** Who reviews. */
export const Reviewer = z.enum(["buyer", "independent"]);

/** An addendum for an industry, by its letters and its digest. */
export const Schedule = z.strictObject({
  /** The digest of its document. */
  document: Digest,
  /** Its letters: `T` and `CY` for technology and cyber, `H` for health care. */
  letters: Letters,
  /** Its title. */
  title: text(1, 240, pattern1),
  /** Its version. */
  version: text(1, 64, pattern1),
});

/** What the agent may do. */
export const Scope = z.strictObject({
  /** The tools it may call. */
  actions: z.array(Action).max(256).optional(),
  /** What must not leave in what it sends to hosts and models; none is nothing but the secrets of whoever runs it. */
  content: z.array(ContentRule).max(6).optional(),
  /** The most sensitive data it is given. */
  data_classification: Classification,
  /** The requests that may leave; none is sealed. */
  egress: z.array(EgressRule).max(256).optional(),
  /** How long a session may last, in seconds. */
  max_session_seconds: z.int().min(1).max(604800).optional(),
  /** The models it may use. */
  models: z.array(ModelName).max(64).optional(),
  /** The folder below which it may write, with a final `/`. */
  outputs: text(1, 1024, pattern1),
  /** The files it may read, as patterns; none is none. */
  read: z.array(text(1, 1024, pattern1)).max(64).optional(),
});

/** The service level and the review that follows delivery. */
export const ServiceLevel = z.strictObject({
  /** The share of each month in which the agent can be started, in basis points. */
  availability: z.int().min(1).max(10000),
  /** Hours until a fault is mended or worked around. */
  resolution_hours: z.int().min(1).max(2160),
  /** Hours until a fault is answered. */
  response_hours: z.int().min(1).max(720),
  /** Days from delivery until what nobody objects to is accepted. */
  review_days: z.int().min(1).max(90),
  /** What supports the buyer, in words. */
  support: text(1, 2000, pattern1),
});

/** Limits on what may be used up. */
export const Spending = z.strictObject({
  /** Bytes through files, network and journal. */
  bytes: z.int().min(1).max(9007199254740991),
  /** Calls through the gate. */
  calls: z.int().min(1).max(9007199254740991),
  /** Money, in billionths of a US dollar. */
  nano_usd: z.int().min(1).max(9007199254740991),
  /** Model tokens, in and out. */
  tokens: z.int().min(1).max(9007199254740991),
});

/** How much depends on the work. The order is the weight of a failure. */
export const Stakes = z.enum(["standard", "elevated", "critical"]);

/** From this unmet weight on, at least this refund. */
export const Step = z.strictObject({
  /** The least refund, in basis points of what is held. */
  refund: z.int().min(0).max(10000),
  /** The unmet weight, in basis points. */
  unmet: z.int().min(1).max(10000),
});

/** The remedy for one class of stakes. */
export const Remedy = z.strictObject({
  /** Days in which the developer may still cure; zero for none. */
  cure_days: z.int().min(0).max(90),
  /** How much of the escrow is held while the dispute lasts. */
  hold: Hold,
  /** When a human decides. */
  human: HumanDecides,
  /** The least refund from an unmet weight on. Without a step the refund is the unmet weight. */
  steps: z.array(Step).max(16).optional(),
  /** Whether the agent is suspended while the dispute lasts. */
  suspend: z.boolean(),
});

/** The remedy for each class of stakes. The whole table is agreed, so that it can be compared. */
export const RemedyTable = z.strictObject({
  /** When much does. */
  critical: Remedy,
  /** When more does. */
  elevated: Remedy,
  /** When little depends on the work. */
  standard: Remedy,
});

/** How the contract ends early. */
export const Termination = z.strictObject({
  /** What ends the contract at once, in words. */
  causes: z.array(text(1, 2000, pattern1)).max(16).optional(),
  /** Days to cure a breach before it ends the contract; zero for none. */
  cure_days: z.int().min(0).max(90),
  /** Days of notice without a cause. */
  notice_days: z.int().min(1).max(366),
  /** The developer's credit for a wrongful suspension, in basis points of the price. */
  suspension_credit: z.int().min(0).max(10000),
});

/** A rule about text. */
export const TextRule = z.discriminatedUnion("kind", [
  /** It contains these characters. */
  z.strictObject({
    kind: z.literal("contains"),
    /** The characters. */
    text: text(1, 2000, pattern1),
  }),
  /** It does not contain these characters. */
  z.strictObject({
    kind: z.literal("excludes"),
    /** The characters. */
    text: text(1, 2000, pattern1),
  }),
  /** It has so many characters. */
  z.strictObject({
    kind: z.literal("chars"),
    /** The most. */
    max: z.int().min(1).max(100000000),
    /** The fewest. */
    min: z.int().min(0).max(100000000),
  }),
  /** It has so many words, separated by white space. */
  z.strictObject({
    kind: z.literal("words"),
    /** The most. */
    max: z.int().min(1).max(100000000),
    /** The fewest. */
    min: z.int().min(0).max(100000000),
  }),
]);

/** How a criterion is checked. */
export const Check = z.discriminatedUnion("kind", [
  /** The deliverable is JSON that a JSON Schema of the 2020-12 dialect accepts. */
  z.strictObject({
    kind: z.literal("output-json-schema"),
    /** The schema, without references to other documents. */
    schema: z.record(z.string(), z.unknown()),
  }),
  /** The deliverable is a file of at least so many bytes. */
  z.strictObject({
    /** The least size. */
    bytes_min: z.int().min(0).max(1099511627776),
    kind: z.literal("file-exists"),
  }),
  /** The deliverable's text obeys a rule. */
  z.strictObject({
    kind: z.literal("text"),
    /** The rule. */
    rule: TextRule,
  }),
  /** A number in the deliverable obeys a rule. */
  z.strictObject({
    kind: z.literal("number"),
    /** Where the number stands in the JSON. */
    pointer: Pointer,
    /** The rule. */
    rule: NumberRule,
  }),
  /** A model that has nothing to do with the agent gives a score. */
  z.strictObject({
    kind: z.literal("evaluator"),
    /** The model. */
    model: Model,
    /** The digest of the question put to it. */
    prompt: Digest,
    /** The least score, in basis points. */
    score_min: z.int().min(1).max(10000),
  }),
  /** A person says yes or no. */
  z.strictObject({
    kind: z.literal("human-review"),
    /** What is asked. */
    question: text(1, 2000, pattern1),
    /** Who is asked. */
    reviewer: Reviewer,
  }),
]);

/** One statement that is true or false of a deliverable. */
export const Criterion = z.strictObject({
  /** How it is checked. */
  check: Check,
  /** The deliverable it is about. */
  deliverable: Id,
  /** What is kept so that the check can be repeated. */
  evidence: z.array(Evidence).min(1).max(6),
  /** Its name in this contract. */
  id: Id,
  /** The statement. In a dispute it is put to the panel word for word. */
  statement: text(1, 2000, pattern1),
  /** Its share of the remedy when unmet, in basis points. */
  weight: z.int().min(1).max(10000),
});

/** Who decides when the panel is split. */
export const TieBreaker = z.discriminatedUnion("kind", [
  /** A person. */
  z.strictObject({
    /** The identifier whose keys sign the decision. */
    did: Did,
    kind: z.literal("human"),
    /** The name. */
    name: text(1, 240, pattern1),
  }),
  /** A further model. */
  z.strictObject({
    /** Its name in this contract. */
    id: Id,
    kind: z.literal("ai"),
    /** The model and who serves it. */
    model: Model,
    /** The digest of the question as it is put to this model. */
    prompt: Digest,
  }),
  /** Nobody: what is split is divided by the remedy. */
  z.strictObject({
    kind: z.literal("none"),
  }),
]);

/** An answer of the panel. */
export const Verdict = z.enum(["refund", "release", "partial", "cannot-decide"]);

/** How a dispute is decided. */
export const Dispute = z.strictObject({
  /** Days from delivery in which a dispute can be opened. */
  open_days: z.int().min(1).max(366),
  /** What the panel may answer. `cannot-decide` is always among them. */
  options: z.array(Verdict).min(3).max(4),
  /** Who is asked. */
  panel: z.array(Evaluator).min(2).max(7),
  /** What the panel is asked, besides the criteria, which it is shown word for word. */
  question: text(1, 2000, pattern1),
  /** From this belief in the buyer on the money goes back, in basis points. */
  refund_from: z.int().min(0).max(10000),
  /** Up to this belief in the buyer the money is released, in basis points. */
  release_to: z.int().min(0).max(10000),
  /** Who decides when the panel is split. */
  tie_breaker: TieBreaker,
});

/** a time zone is spelled `Area/Place` or `UTC` */
export const Zone = text(0, 64, /^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$(?!\n)/u);

/** The spending caps. They hold at once, and the tightest wins. */
export const Caps = z.strictObject({
  /** For the agent under this contract, over all its days. */
  agent: Spending,
  /** For one day. */
  day: Spending,
  /** Where the day begins and ends. */
  day_zone: Zone,
  /** For one run. */
  task: Spending,
});

/** Everything two parties agreed that a machine can check. */
export const Contract = z.strictObject({
  /** The agent and the release that runs. */
  agent: Agent,
  /** What the agent may spend. */
  caps: Caps,
  /** When the work counts as done. */
  criteria: z.array(Criterion).min(1).max(20),
  /** What is handed over. */
  deliverables: z.array(Deliverable).min(1).max(32),
  /** Who decides when the parties do not agree. */
  dispute: Dispute,
  /** Who owns what. */
  ip: Ip,
  /** Which law and which court. */
  law: Law,
  /** How much a party can owe. */
  liability: Liability,
  /** In which steps it is paid; none is all at the end. */
  milestones: z.array(Milestone).max(20).optional(),
  /** Who agrees. */
  parties: Parties,
  /** What is paid. */
  price: Price,
  /** What happens when criteria stay unmet. */
  remedy: RemedyTable,
  /** The addenda that apply. */
  schedules: z.array(Schedule).max(16).optional(),
  /** What the agent may do. */
  scope: Scope,
  /** How well and how fast, and how long the buyer may look. */
  service: ServiceLevel,
  /** How much depends on the work. */
  stakes: Stakes,
  /** How the contract ends early. */
  termination: Termination,
  /** What the contract is about, in a few words. */
  title: text(1, 240, pattern1),
});

export default Contract;
