//! `/approvals`: what runs ask of humans.

use envelope_market::Role;
use envelope_market::approvals::{Answer as Said, Question, decide, one, view};
use envelope_store::noun::Noun;

use super::{answers, look};
use crate::Problem;
use crate::answer::Answer;
use crate::ask::{QUESTION_STATES, STATE};
use crate::call::Call;
use crate::route::{Answering, Gives, Route, Takes, of};

pub(super) const ROUTES: &[Route] = &[
    Route::get(
        ("/approvals", "approvals"),
        "List what runs ask of humans; `?state=open` lists what is undecided",
        Gives::Page(of::<Question>),
        list,
    )
    .asks(&[STATE]),
    Route::get(
        ("/approvals/{approval}", "approval"),
        "Show a question, exactly as a decision will be bound to it",
        Gives::Json(of::<Question>),
        get,
    ),
    Route::post(
        ("/approvals/{approval}", "answer"),
        "Decide, saying what you saw",
        (Role::Approver, Takes::Json(of::<Said>), Gives::Json(of::<Question>)),
        post,
    )
    .once(),
];

fn list(call: Call) -> Answering {
    answers!(call, {
        let page = call.page()?;
        look!(call, tx, turn);
        let mut rows = match call.query("state") {
            None => turn.rows().page(Noun::Approval, &page.after, page.count()).await?,
            Some(state) if !QUESTION_STATES.contains(&state) => {
                let told = format!("`state` is one of {}", QUESTION_STATES.join(", "));
                return Err(Problem::new("INVALID", told).with("param", "state"));
            }
            Some(state) => turn.rows().list(Noun::Approval, state, &page.after).await?,
        };
        rows.truncate(page.limit);
        let questions = rows.iter().map(view).collect::<Result<Vec<_>, _>>()?;
        Answer::page(&questions, rows.last().map(|row| row.id.as_str()), page.limit)
    })
}

fn get(call: Call) -> Answering {
    answers!(call, {
        look!(call, tx, turn);
        Answer::json(200, &one(&mut turn, call.path("approval")).await?)
    })
}

fn post(call: Call) -> Answering {
    answers!(call, {
        let input = (call.path("approval").to_owned(), call.input::<Said>()?);
        call.act(&input, |_, turn, (id, said)| Box::pin(decide(turn, id, said))).await
    })
}
