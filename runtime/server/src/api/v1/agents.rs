//! `/agents`, with their releases and badges.

use envelope_evidence::Timestamp;
use envelope_market::Role;
use envelope_market::agents::badge::badge;
use envelope_market::agents::publish::{Release, inspect, publish};
use envelope_market::agents::register::{Agent, NewAgent, register};
use envelope_store::noun::{Noun, Record};
use envelope_terms::badge::Standing;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{answers, look};
use crate::Problem;
use crate::answer::Answer;
use crate::call::Call;
use crate::route::{Answering, Gives, Route, Takes, of};

pub(super) const ROUTES: &[Route] = &[
    Route::get(("/agents", "agents"), "List your agents", Gives::Page(of::<Agent>), list),
    Route::post(
        ("/agents", "registerAgent"),
        "Register an agent",
        (Role::Author, Takes::Json(of::<NewAgent>), Gives::Json(of::<Agent>)),
        post,
    )
    .makes()
    .once(),
    Route::get(("/agents/{agent}", "agent"), "Show an agent", Gives::Json(of::<Agent>), get),
    Route::get(
        ("/agents/{agent}/badge", "badge"),
        "Show how each pillar of its badge stands now",
        Gives::Json(of::<Badge>),
        show_badge,
    ),
    Route::get(
        ("/agents/{agent}/releases", "releases"),
        "List its releases",
        Gives::Page(of::<Release>),
        releases,
    ),
    Route::post(
        ("/agents/{agent}/releases", "publish"),
        "Publish a component: it is looked at, asked what it is, and compiled",
        (Role::Author, Takes::Wasm, Gives::Json(of::<Release>)),
        release,
    )
    .makes()
    .once()
    .heavy(),
];

/// A badge as it stands now.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Badge {
    /// Whether all five pillars hold.
    held: bool,
    /// How each stands.
    pillars: Vec<Pillar>,
}

/// One pillar.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Pillar {
    /// Which.
    pillar: String,
    /// `holds`, `missing`, `revoked`, `expired` or `early`.
    standing: &'static str,
    /// Until when it holds, in milliseconds.
    until: Option<u64>,
}

fn list(call: Call) -> Answering {
    answers!(call, {
        let page = call.page()?;
        look!(call, tx, turn);
        let rows = turn.rows().page(Noun::Agent, &page.after, page.count()).await?;
        let agents = rows.iter().map(read::<Agent>).collect::<Result<Vec<_>, _>>()?;
        Answer::page(&agents, rows.last().map(|row| row.id.as_str()), page.limit)
    })
}

fn post(call: Call) -> Answering {
    answers!(call, {
        let new: NewAgent = call.input()?;
        call.act(&new, |market, turn, new| Box::pin(register(market, turn, new.clone()))).await
    })
}

fn get(call: Call) -> Answering {
    answers!(call, {
        look!(call, tx, turn);
        let record = turn.own(Noun::Agent, call.path("agent")).await?;
        Ok(Answer::json(200, &read::<Agent>(&record)?)?.at_version(record.version))
    })
}

fn show_badge(call: Call) -> Answering {
    answers!(call, {
        look!(call, tx, turn);
        let agent: Agent = read(&turn.own(Noun::Agent, call.path("agent")).await?)?;
        let badge = badge(turn.tx, &call.app.operator, &agent, call.at).await?;
        let pillars = badge.pillars().iter().map(|(pillar, standing)| {
            let (standing, until) = told(*standing);
            Pillar { pillar: pillar.name().to_owned(), standing, until }
        });
        Answer::json(200, &Badge { held: badge.held(), pillars: pillars.collect() })
    })
}

const fn told(standing: Standing) -> (&'static str, Option<u64>) {
    match standing {
        Standing::Missing => ("missing", None),
        Standing::Revoked => ("revoked", None),
        Standing::Expired => ("expired", None),
        Standing::Early => ("early", None),
        Standing::Holds(until) => ("holds", Some(Timestamp::millis(until))),
    }
}

fn releases(call: Call) -> Answering {
    answers!(call, {
        let page = call.page()?;
        look!(call, tx, turn);
        let agent = turn.own(Noun::Agent, call.path("agent")).await?;
        let mut rows = turn.rows().below(Noun::Release, &agent.id, &page.after).await?;
        rows.truncate(page.limit);
        let releases = rows.iter().map(read::<Release>).collect::<Result<Vec<_>, _>>()?;
        Answer::page(&releases, rows.last().map(|row| row.id.as_str()), page.limit)
    })
}

fn release(call: Call) -> Answering {
    answers!(call, {
        let (market, agent) = (&call.app.market, call.path("agent"));
        let looked = inspect(market, call.who()?, agent, call.body().clone(), call.at).await?;
        call.act(&looked, |_, turn, looked| Box::pin(publish(turn, looked))).await
    })
}

/// The document of a row.
pub(super) fn read<T: DeserializeOwned>(record: &Record) -> Result<T, Problem> {
    let read = serde_json::from_str(&record.body);
    read.map_err(|why| Problem::new("INTERNAL", format!("`{}`: {why}", record.id)))
}
