//! The output evidence: SLSA provenance v1, with how the run ended beside it.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::journal::{Engine, Outcome, Output, OutputValue};
use crate::statement::Subject;
use crate::text::Label;
use crate::time::Rfc3339;

/// The predicate type of SLSA provenance.
pub const PROVENANCE_TYPE: &str = "https://slsa.dev/provenance/v1";

const BUILD_TYPE: &str = "https://envelope.example/run/v1";
const BUILDER: &str = "https://envelope.example/runtime";

/// What was made, from what, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Provenance {
    build_definition: BuildDefinition,
    run_details: RunDetails,
    /// How the run ended: SLSA lets readers pass over what they do not know.
    pub envelope: Ending,
}

/// How a run ended and what it left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// The run.
    pub run: Label,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in a word.
    pub reason: Label,
    /// What the skill returned, with a glimpse of it.
    pub result: Option<OutputValue>,
    /// The files it produced.
    pub outputs: Vec<Output>,
    /// Milliseconds from start to finish.
    pub elapsed_ms: u64,
}

/// What went into a run, and what came out of it.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) skill: Label,
    pub(crate) args: Digest,
    pub(crate) paper: Option<Digest>,
    pub(crate) component: Digest,
    pub(crate) inputs: Digest,
    pub(crate) engine: Label,
    pub(crate) started: Rfc3339,
    pub(crate) finished: Rfc3339,
    pub(crate) ending: Ending,
}

impl Provenance {
    pub(crate) fn of(made: Made) -> Self {
        let Made { skill, args, paper, component, inputs, engine, started, finished, ending } =
            made;
        let from = [("component", component), ("inputs", inputs)];
        Self {
            build_definition: BuildDefinition {
                build_type: BUILD_TYPE.to_owned(),
                external_parameters: Parameters { skill, args, paper },
                resolved_dependencies: from.map(|(name, it)| Subject::new(name, it)).to_vec(),
            },
            run_details: RunDetails {
                builder: Builder { id: BUILDER.to_owned(), version: Versions { engine } },
                metadata: Metadata {
                    invocation_id: ending.run.clone(),
                    started_on: started,
                    finished_on: finished,
                },
            },
            envelope: ending,
        }
    }

    /// What it was made of, if this is what [`Provenance::of`] makes of it.
    pub(crate) fn made(&self) -> Option<Made> {
        let BuildDefinition { external_parameters, resolved_dependencies, .. } =
            &self.build_definition;
        let RunDetails { builder, metadata } = &self.run_details;
        let [component, inputs] = resolved_dependencies.as_slice() else { return None };
        let made = Made {
            skill: external_parameters.skill.clone(),
            args: external_parameters.args,
            paper: external_parameters.paper,
            component: component.digest.digest(),
            inputs: inputs.digest.digest(),
            engine: builder.version.engine.clone(),
            started: metadata.started_on,
            finished: metadata.finished_on,
            ending: self.envelope.clone(),
        };
        (Self::of(made.clone()) == *self).then_some(made)
    }
}

/// The engine and its version in a word.
pub(crate) fn engine_label(engine: &Engine) -> Label {
    Label::cut(&format!("{} {}", engine.name, engine.version))
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct BuildDefinition {
    build_type: String,
    external_parameters: Parameters,
    resolved_dependencies: Vec<Subject>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    skill: Label,
    args: Digest,
    paper: Option<Digest>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunDetails {
    builder: Builder,
    metadata: Metadata,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Builder {
    id: String,
    version: Versions,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Versions {
    engine: Label,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Metadata {
    invocation_id: Label,
    started_on: Rfc3339,
    finished_on: Rfc3339,
}
