//! `/runs`: launched, watched, and what is left of them.

use std::time::Duration;

use axum::http::HeaderName;
use axum::response::IntoResponse as _;
use envelope_market::Role;
use envelope_market::purchases::launch::{Launched, Start, launch, ready};
use envelope_market::runs::{Run, folder, view};
use envelope_store::noun::Noun;

use super::{answers, look};
use crate::answer::Answer;
use crate::ask;
use crate::call::Call;
use crate::events::{self, Line};
use crate::route::{Answering, Gives, Route, Takes, of};

/// How long whoever launches may wait for the end, at most.
const WAIT_MAX: u64 = 60;

/// How often a run is looked at that somebody waits for.
const LOOK: Duration = Duration::from_millis(100);

const PREFER: HeaderName = HeaderName::from_static("prefer");

pub(super) const ROUTES: &[Route] = &[
    Route::get(("/runs", "runs"), "List your runs", Gives::Page(of::<Run>), list),
    Route::post(
        ("/runs", "launch"),
        "Launch a run of what you bought; `Prefer: wait=N` waits so many seconds for its end",
        (Role::Buyer, Takes::Json(of::<Start>), Gives::Json(of::<Launched>)),
        post,
    )
    .makes()
    .once()
    .heavy()
    .asks(&[ask::PREFER]),
    Route::get(("/runs/{run}", "run"), "Show a run", Gives::Json(of::<Run>), get),
    Route::get(
        ("/runs/{run}/events", "events"),
        "Follow a run: pages of its record, or, for `Accept: text/event-stream`, as it happens",
        Gives::Stream(of::<Line>),
        follow,
    )
    .asks(&[ask::LAST_EVENT_ID]),
    Route::get(
        ("/runs/{run}/receipt", "receipt"),
        "The receipt with its evidence and its record, line by line: `envelope verify` checks it",
        Gives::Other("application/jsonl"),
        receipt,
    ),
];

fn list(call: Call) -> Answering {
    answers!(call, {
        let page = call.page()?;
        look!(call, tx, turn);
        let rows = turn.rows().page(Noun::Run, &page.after, page.count()).await?;
        let runs = rows.iter().map(view).collect::<Result<Vec<_>, _>>()?;
        Answer::page(&runs, rows.last().map(|row| row.id.as_str()), page.limit)
    })
}

fn post(call: Call) -> Answering {
    answers!(call, {
        let start: Start = call.input()?;
        let made = ready(&call.app.market, call.who()?, start, call.at).await?;
        let answer =
            call.act(&made, |market, turn, made| Box::pin(launch(market, turn, made))).await?;
        wait(&call, made.run()).await?;
        Ok(answer)
    })
}

/// Waits for the end of a run as long as whoever launched it prefers to.
async fn wait(call: &Call, run: &str) -> Result<(), crate::Problem> {
    let prefers = call.header(&PREFER).and_then(|text| text.trim().strip_prefix("wait="));
    let seconds = prefers.and_then(|text| text.parse().ok()).unwrap_or(0).min(WAIT_MAX);
    let waited = async {
        loop {
            look!(call, tx, turn);
            let row = turn.rows().get(Noun::Run, run).await?;
            if row.is_none_or(|row| row.state == "ended" || row.state == "suspended") {
                return Ok(());
            }
            drop(tx);
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(seconds), waited).await.unwrap_or(Ok(()))
}

fn get(call: Call) -> Answering {
    answers!(call, {
        look!(call, tx, turn);
        let record = turn.own(Noun::Run, call.path("run")).await?;
        Ok(Answer::json(200, &view(&record)?)?.at_version(record.version))
    })
}

fn follow(call: Call) -> Answering {
    Box::pin(async move {
        if events::streams(&call) { events::stream(call).await } else { page(call).await }
    })
}

async fn page(call: Call) -> Result<axum::response::Response, crate::Problem> {
    let page = call.page()?;
    let after = page.after.parse().unwrap_or(0);
    let lines = events::lines(&call, call.path("run")).await?;
    let mut data = Vec::new();
    for line in lines.into_iter().filter(|line| line.id > after).take(page.limit) {
        data.push(line);
    }
    let last = data.last().map(|line| line.id.to_string());
    Ok(Answer::page(&data, last.as_deref(), page.limit)?.into_response())
}

fn receipt(call: Call) -> Answering {
    answers!(call, {
        look!(call, tx, turn);
        let record = turn.own(Noun::Run, call.path("run")).await?;
        let org = turn.who.org.clone();
        if record.state != "ended" {
            let told = format!("run `{}` is {}: it has no receipt yet", record.id, record.state);
            return Err(crate::Problem::new("NOT_NOW", told));
        }
        drop(tx);
        let folder = folder(&call.app.market, &org, &record.id).await?;
        Ok(Answer::of(200, "application/jsonl", folder.to_json_lines()))
    })
}
