//! `/stops`: kill switches.

use envelope_market::Role;
use envelope_market::stops::{Stopped, Word, lift, throw, thrown};
use serde_json::json;

use super::{answers, look};
use crate::answer::Answer;
use crate::call::Call;
use crate::route::{Answering, Gives, Needs, Route, Takes, of};

pub(super) const ROUTES: &[Route] = &[
    Route::get(
        ("/stops", "stops"),
        "List who is stopped, by whom and why",
        Gives::All(of::<Stopped>),
        list,
    )
    .for_whom(Needs::Anybody),
    Route::post(
        ("/stops", "stop"),
        "Stop a run, or all of an agent, a Paper, an organisation, or everybody",
        (Role::Buyer, Takes::Json(of::<Word>), Gives::Json(of::<Stopped>)),
        post,
    )
    .for_whom(Needs::Anybody),
    Route::post(
        ("/stops/lift", "liftStop"),
        "Let those begin and go on again who were stopped",
        (Role::Buyer, Takes::Json(of::<Word>), Gives::Json(of::<Stopped>)),
        lifted,
    )
    .for_whom(Needs::Anybody),
];

fn list(call: Call) -> Answering {
    answers!(call, {
        look!(call, tx, turn);
        let all = thrown(&mut turn, &call.app.operator).await?;
        Answer::json(200, &json!({ "data": all, "has_more": false, "next": null }))
    })
}

fn post(call: Call) -> Answering {
    answers!(call, {
        let word = (call.app.operator.clone(), call.input::<Word>()?);
        call.act(&word, |_, turn, (operator, word)| Box::pin(throw(turn, operator, word.clone())))
            .await
    })
}

fn lifted(call: Call) -> Answering {
    answers!(call, {
        let word = (call.app.operator.clone(), call.input::<Word>()?);
        call.act(&word, |_, turn, (operator, word)| Box::pin(lift(turn, operator, word.clone())))
            .await
    })
}
