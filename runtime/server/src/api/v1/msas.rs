//! `/msas`.

use envelope_market::Role;
use envelope_market::papers::msa::{Msa, NewMsa, offer};
use envelope_store::noun::Noun;

use super::agents::read;
use super::{answers, look};
use crate::answer::Answer;
use crate::call::Call;
use crate::route::{Answering, Gives, Route, Takes, of};

pub(super) const ROUTES: &[Route] = &[
    Route::get(("/msas", "msas"), "List your standing agreements", Gives::Page(of::<Msa>), list),
    Route::post(
        ("/msas", "offerMsa"),
        "Offer a standing agreement",
        (Role::Author, Takes::Json(of::<NewMsa>), Gives::Json(of::<Msa>)),
        post,
    )
    .makes()
    .once(),
    Route::get(("/msas/{msa}", "msa"), "Show one", Gives::Json(of::<Msa>), get),
];

fn list(call: Call) -> Answering {
    answers!(call, {
        let page = call.page()?;
        look!(call, tx, turn);
        let rows = turn.rows().page(Noun::Msa, &page.after, page.count()).await?;
        let msas = rows.iter().map(read::<Msa>).collect::<Result<Vec<_>, _>>()?;
        Answer::page(&msas, rows.last().map(|row| row.id.as_str()), page.limit)
    })
}

fn post(call: Call) -> Answering {
    answers!(call, {
        let new: NewMsa = call.input()?;
        call.act(&new, |_, turn, new| Box::pin(offer(turn, new.clone()))).await
    })
}

fn get(call: Call) -> Answering {
    answers!(call, {
        look!(call, tx, turn);
        let record = turn.own(Noun::Msa, call.path("msa")).await?;
        Ok(Answer::json(200, &read::<Msa>(&record)?)?.at_version(record.version))
    })
}
