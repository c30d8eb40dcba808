//! `/attestations`.

use axum::http::Method;
use envelope_market::Role;
use envelope_market::agents::badge::{Attest, Attested, attest, revoke};

use super::answers;
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

fn delete(call: Call) -> Answering {
    answers!(call, {
        let id = call.path("attestation").to_owned();
        call.act(&id, |_, turn, id| Box::pin(revoke(turn, id))).await
    })
}
