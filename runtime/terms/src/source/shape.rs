//! The shape of a compiled Paper, for its JSON Schema.
//!
//! A Paper is read by [`super::Paper::read`], which derives its parts again. A shape says of every
//! field what a Paper without flaws may hold there; that a part follows from the others, in which
//! order capabilities are listed, and what a file pattern is, only that reading can say.

use envelope_evidence::usage::MAX_EXACT;
use envelope_evidence::{Digest, Label};
use envelope_rules::content::RULES_MAX as CONTENT_MAX;
use envelope_rules::egress::policy::RULES_MAX;
use envelope_rules::egress::rule::LIST_MAX;
use envelope_rules::grant::LIFE_SECS_MAX;
use envelope_rules::guard::{AGENTS_MAX, MODELS_MAX};
use envelope_rules::pattern::PATTERNS_MAX;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::clause::Subject;
use super::paper::{Hashes, Status};
use crate::contract::{
    ContentRule, Contract, Count, DigestShape, EgressQuery, EgressScheme, Exact, Id, LabelShape,
    Line, List, NanoUsd, Place, Port, SessionSecs, present,
};
use crate::export::{self, AcsVersion};

/// A contract that was compiled.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompiledPaper {
    /// The clauses of the prose.
    clauses: Vec<Clause>,
    /// The data.
    contract: Contract,
    /// The policies that were derived from it for other engines.
    exports: Exports,
    /// What files each run may use.
    grant: GrantTemplate,
    /// What its parts are hashed to.
    hashes: Hashes,
    /// The digest of the master agreement it stands under.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DigestShape")]
    msa: Option<Digest>,
    /// The prose, rendered.
    prose: String,
    /// Where it stands in its life.
    status: Status,
    /// The version of this shape.
    v: Exact<1, 1>,
    /// What each run is allowed.
    warrant: WarrantTemplate,
}

/// One clause: its name and what it is about.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Clause {
    /// The name under which it is cited.
    id: Id,
    /// What it is about.
    subjects: List<Subject, 0, 12>,
}

/// What fixes a Paper's exports: each file by its digest, and with what it was made.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Exports {
    /// For which version of the Agent Control Specification.
    acs: AcsVersion,
    /// The exporter's version.
    exporter: Exact<0, 4_294_967_295>,
    /// The files by path.
    files: export::Files,
}

/// A grant without its name, its run, its Paper and its times.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GrantTemplate {
    /// Who may use it.
    #[schemars(with = "LabelShape")]
    agent: Label,
    /// How long it lives.
    life_seconds: Exact<1, LIFE_SECS_MAX>,
    /// What may be spent under it, in billionths of a US dollar.
    nano_usd: NanoUsd,
    /// Where may be written.
    outputs: Place,
    /// What may be read.
    paths: List<Place, 0, PATTERNS_MAX>,
}

/// A warrant without its run, its Paper and its deadline.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WarrantTemplate {
    /// The agent's identifier, the audience of its grants.
    #[schemars(with = "LabelShape")]
    agent: Label,
    /// Which agents it may call.
    #[schemars(with = "List<LabelShape, 0, AGENTS_MAX>")]
    agents: List<Label, 0, AGENTS_MAX>,
    /// What it may use up.
    budget: Limits,
    /// What the run may do at all, each once, in the order of their table.
    capabilities: List<Capability, 0, 12>,
    /// The only code that may run.
    #[schemars(with = "DigestShape")]
    component: Digest,
    /// What must not leave in what it sends.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "List<ContentRule, 1, CONTENT_MAX>")]
    content: Option<List<ContentRule, 1, CONTENT_MAX>>,
    /// Which destinations it may reach.
    egress: Egress,
    /// Which models it may call.
    models: List<ModelRule, 0, MODELS_MAX>,
    /// How long it may last.
    session_seconds: SessionSecs,
    /// The skill that is engaged.
    #[schemars(with = "LabelShape")]
    skill: Label,
}

/// Where a run may reach.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Egress {
    /// The rules, in order.
    rules: List<Rule, 0, RULES_MAX>,
}

/// Which requests may leave, as the runtime reads it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// One host, or `*.` and the domain above it.
    host: Line<255>,
    /// The methods, in capitals.
    methods: List<Line<16>, 1, LIST_MAX>,
    /// The path patterns.
    paths: List<Place, 1, LIST_MAX>,
    /// The ports; left out for the scheme's own.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "List<Port, 1, LIST_MAX>")]
    ports: Option<List<Port, 1, LIST_MAX>>,
    /// The query parameters.
    query: EgressQuery,
    /// The schemes.
    schemes: List<EgressScheme, 1, 2>,
}

/// A model that may be called.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ModelRule {
    /// The longest answer that may be asked for.
    max_output: Count,
    /// Its name in the operator's price book.
    #[schemars(with = "LabelShape")]
    model: Label,
}

macro_rules! capabilities {
    ($($name:ident)*) => {
        /// What a run may do.
        #[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        enum Capability { $($name,)* }
    };
}

capabilities! {
    Files Http Model Agents Approvals Clock Random Stdio Environment Trace Artifacts Run
}

macro_rules! limits {
    ($($name:ident $doc:literal;)*) => {
        /// A limit in some dimensions; one without a limit is left out.
        #[derive(Debug, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        struct Limits {$(
            #[doc = $doc]
            #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
            #[schemars(with = "Exact<0, MAX_EXACT>")]
            $name: Option<Exact<0, MAX_EXACT>>,
        )*}
    };
}

limits! {
    bytes "Bytes sent and received.";
    calls "Calls of the run.";
    fuel "Steps of computation.";
    nano_usd "Billionths of a US dollar.";
    tokens "Tokens of models.";
    wall_ms "Milliseconds from beginning to end.";
}
