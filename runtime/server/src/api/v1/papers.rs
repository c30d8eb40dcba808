//! `/papers`.

use envelope_market::Role;
use envelope_market::lists::page;
use envelope_market::papers::quote::{Paper, Quote, quote, view};
use envelope_store::noun::Noun;

use super::{answers, look};
use crate::answer::Answer;
use crate::call::Call;
use crate::route::{Answering, Gives, Route, Takes, of};

pub(super) const ROUTES: &[Route] = &[
    Route::get(("/papers", "papers"), "List your Papers", Gives::Page(of::<Paper>), list),
    Route::post(
        ("/papers", "quote"),
        "Draw up a Paper: the contract, with you as the buyer, signed by whoever offers",
        (Role::Buyer, Takes::Json(of::<Quote>), Gives::Json(of::<Paper>)),
        post,
    )
    .makes()
    .once(),
    Route::get(("/papers/{paper}", "paper"), "Show a Paper", Gives::Json(of::<Paper>), get),
];

fn list(call: Call) -> Answering {
    answers!(call, {
        let wanted = call.page()?;
        look!(call, tx, turn);
        let rows = page(&mut turn, (Noun::Paper, "pap_"), &wanted.after, wanted.count()).await?;
        let papers = rows.iter().map(|(_, row)| view(row)).collect::<Result<Vec<_>, _>>()?;
        Answer::page(&papers, rows.last().map(|(_, row)| row.id.as_str()), wanted.limit)
    })
}

fn post(call: Call) -> Answering {
    answers!(call, {
        let wish: Quote = call.input()?;
        call.act(&wish, |market, turn, wish| Box::pin(quote(market, turn, wish.clone()))).await
    })
}

fn get(call: Call) -> Answering {
    answers!(call, {
        look!(call, tx, turn);
        let (_, record) = turn.seen(Noun::Paper, call.path("paper")).await?;
        Ok(Answer::json(200, &view(&record)?)?.at_version(record.version))
    })
}
