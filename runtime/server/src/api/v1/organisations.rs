//! `/organisations` and `/organisation`.

use envelope_market::Role;
use envelope_market::identity::organisation::{Joined, NewOrganisation, Organisation, join, own};

use super::{answers, look};
use crate::answer::Answer;
use crate::call::Call;
use crate::route::{Answering, Gives, Route, Takes, of};

pub(super) const ROUTES: &[Route] = &[
    Route::post(
        ("/organisations", "join"),
        "Let an organisation join, with its first owner and the owner's first key",
        (Role::Operator, Takes::Json(of::<NewOrganisation>), Gives::Json(of::<Joined>)),
        post,
    )
    .makes(),
    Route::get(
        ("/organisation", "organisation"),
        "Show the organisation of whoever asks",
        Gives::Json(of::<Organisation>),
        get,
    ),
];

fn post(call: Call) -> Answering {
    answers!(call, {
        let new: NewOrganisation = call.input()?;
        call.act(&new, |market, turn, new| Box::pin(join(market, turn, new.clone()))).await
    })
}

fn get(call: Call) -> Answering {
    answers!(call, {
        look!(call, tx, turn);
        Answer::json(200, &own(&mut turn).await?)
    })
}
