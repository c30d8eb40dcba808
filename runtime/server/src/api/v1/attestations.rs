//! `/attestations`.

use axum::http::Method;
use envelope_market::Role;
use envelope_market::agents::badge::{Attest, Attested, attest, revoke, signed};
use serde_json::Value;

use super::{answers, look};
use crate::answer::Answer;
use crate::call::Call;
use crate::route::{Answering, Gives, Route, Takes, of};

pub(super) const ROUTES: &[Route] = &[
    Route::post(
        ("/attestations", "attest"),
        "Swear that a pillar of an agent's badge stands",
        (Role::Operator, Takes::Json(of::<Attest>), Gives::Json(of::<Attested>)),
        post,
    )
    .makes()
    .once(),
    Route::get(
        ("/attestations/{attestation}", "attestation"),
        "Show one as it was signed: a DSSE envelope that the house's `jwks.json` verifies",
        Gives::Json(of::<Value>),
        get,
    ),
    Route::change(
        &Method::DELETE,
        ("/attestations/{attestation}", "takeBack"),
        "Take an attestation back, at once",
        (Role::Operator, Takes::Nothing, Gives::Json(of::<()>)),
        delete,
    ),
];

fn post(call: Call) -> Answering {
    answers!(call, {
        let wish: Attest = call.input()?;
        call.act(&wish, |market, turn, wish| Box::pin(attest(market, turn, wish.clone()))).await
    })
}

fn get(call: Call) -> Answering {
    answers!(call, {
        look!(call, tx, turn);
        let id = call.path("attestation");
        Answer::json(200, &signed(&mut turn, &call.app.operator, id).await?)
    })
}

fn delete(call: Call) -> Answering {
    answers!(call, {
        let id = call.path("attestation").to_owned();
        call.act(&id, |_, turn, id| Box::pin(revoke(turn, id))).await
    })
}
