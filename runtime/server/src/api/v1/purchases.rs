//! `/purchases`, and all that becomes of one.

use envelope_market::Role;
use envelope_market::disputes::answer::{Heard, answer, voice};
use envelope_market::disputes::decide::{Decide, decide, overdue};
use envelope_market::disputes::open::{Open, open};
use envelope_market::lists::page;
use envelope_market::purchases::accept::{Accept, accept, cure, tick};
use envelope_market::purchases::buy::{Buy, buy};
use envelope_market::purchases::deliver::{assemble, deliver};
use envelope_market::purchases::money::{Moved, moved, pay, retry, write_off};
use envelope_market::purchases::{Purchase, load, receipts, view};
use envelope_market::shape::OrgShape;
use envelope_store::Org;
use envelope_store::noun::Noun;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{answers, look};
use crate::answer::Answer;
use crate::call::Call;
use crate::route::{Answering, Gives, Needs, Route, Takes, of};

const SHOWN: Gives = Gives::Json(of::<Purchase>);

pub(super) const ROUTES: &[Route] = &[
    Route::get(
        ("/purchases", "purchases"),
        "List what you bought and sold",
        Gives::Page(of::<Purchase>),
        list,
    ),
    Route::post(
        ("/purchases", "buy"),
        "Buy a Paper, saying what you saw of it",
        (Role::Buyer, Takes::Json(of::<Buy>), SHOWN),
        post,
    )
    .makes()
    .once(),
    Route::get(("/purchases/{purchase}", "purchase"), "Show a purchase", SHOWN, get),
    Route::get(
        ("/purchases/{purchase}/receipts", "purchaseReceipts"),
        "List its receipts: each is signed, and names the one before",
        Gives::Page(of::<Signed>),
        signed,
    ),
    Route::post(
        ("/purchases/{purchase}/pay", "pay"),
        "Pay in: whoever settles is told to hold the money",
        (Role::Buyer, Takes::Nothing, SHOWN),
        paid,
    )
    .once(),
    Route::post(
        ("/purchases/{purchase}/money", "money"),
        "Say what became of an order, as whoever moved the money",
        (Role::Operator, Takes::Json(of::<Moved>), SHOWN),
        money,
    )
    .once(),
    Route::post(
        ("/purchases/{purchase}/money/retry", "retry"),
        "Have a movement tried again that did not happen",
        (Role::Operator, Takes::Json(of::<Whose>), SHOWN),
        again,
    )
    .once(),
    Route::post(
        ("/purchases/{purchase}/money/write-off", "writeOff"),
        "Give up what a payee does not give back",
        (Role::Operator, Takes::Json(of::<Whose>), SHOWN),
        given_up,
    )
    .once(),
    Route::post(
        ("/purchases/{purchase}/deliver", "deliver"),
        "Deliver what its runs produced, and have the criteria checked",
        (Role::Author, Takes::Nothing, SHOWN),
        delivered,
    )
    .for_whom(Needs::Anybody)
    .once(),
    Route::post(
        ("/purchases/{purchase}/accept", "accept"),
        "Accept the delivery, or a milestone of it",
        (Role::Buyer, Takes::Json(of::<Accept>), SHOWN),
        accepted,
    )
    .once(),
    Route::post(
        ("/purchases/{purchase}/cure", "cure"),
        "Work again on what did not conform",
        (Role::Author, Takes::Nothing, SHOWN),
        cured,
    )
    .once(),
    Route::post(
        ("/purchases/{purchase}/tick", "tick"),
        "Have what is due happen",
        (Role::Buyer, Takes::Nothing, SHOWN),
        ticked,
    )
    .for_whom(Needs::Anybody),
    Route::post(
        ("/purchases/{purchase}/disputes", "dispute"),
        "Dispute it: the money stops, and the record is sealed",
        (Role::Buyer, Takes::Json(of::<Open>), SHOWN),
        disputed,
    )
    .for_whom(Needs::Anybody)
    .once(),
    Route::post(
        ("/purchases/{purchase}/disputes/answer", "hearEvaluator"),
        "Hear an evaluator of the panel, by the receipt of its run",
        (Role::Operator, Takes::Json(of::<Heard>), SHOWN),
        heard,
    )
    .once(),
    Route::post(
        ("/purchases/{purchase}/disputes/decide", "decide"),
        "Decide, as a human, what the panel could not",
        (Role::Operator, Takes::Json(of::<Decide>), SHOWN),
        decided,
    )
    .once(),
    Route::post(
        ("/purchases/{purchase}/disputes/overdue", "overdue"),
        "End the panel's time",
        (Role::Operator, Takes::Json(of::<Whose>), SHOWN),
        late,
    ),
];

/// A receipt of a purchase.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Signed {
    /// Its id.
    id: String,
    /// The signed statement, a DSSE envelope.
    envelope: serde_json::Value,
}

/// Whose purchase it is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    /// The buyer.
    #[schemars(with = "OrgShape")]
    org: String,
}

fn list(call: Call) -> Answering {
    answers!(call, {
        let wanted = call.page()?;
        look!(call, tx, turn);
        let rows = page(&mut turn, (Noun::Purchase, "pur_"), &wanted.after, wanted.count()).await?;
        let mut all = Vec::new();
        for (_, row) in &rows {
            all.push(load(&mut turn, &row.id).await?.view()?);
        }
        Answer::page(&all, rows.last().map(|(_, row)| row.id.as_str()), wanted.limit)
    })
}

fn post(call: Call) -> Answering {
    answers!(call, {
        let input = (call.app.operator.clone(), call.input::<Buy>()?);
        call.act(&input, |market, turn, (house, wish)| Box::pin(buy(market, turn, house, wish)))
            .await
    })
}

fn get(call: Call) -> Answering {
    answers!(call, {
        look!(call, tx, turn);
        let purchase = view(&mut turn, call.path("purchase")).await?;
        Ok(Answer::json(200, &purchase)?.at_version(purchase.version))
    })
}

fn signed(call: Call) -> Answering {
    answers!(call, {
        let page = call.page()?;
        look!(call, tx, turn);
        let mut rows = receipts(&mut turn, call.path("purchase"), &page.after).await?;
        rows.truncate(page.limit);
        let last = rows.last().map(|(id, _)| id.clone());
        let signed = rows.into_iter().map(|(id, body)| {
            let envelope = serde_json::from_str(&body).unwrap_or_default();
            Signed { id, envelope }
        });
        Answer::page(&Vec::from_iter(signed), last.as_deref(), page.limit)
    })
}

fn paid(call: Call) -> Answering {
    answers!(call, {
        let id = call.path("purchase").to_owned();
        call.act(&id, |market, turn, id| Box::pin(pay(market, turn, id))).await
    })
}

fn money(call: Call) -> Answering {
    answers!(call, {
        let input = (call.path("purchase").to_owned(), call.input::<Moved>()?);
        call.act(&input, |market, turn, (id, said)| Box::pin(moved(market, turn, id, said.clone())))
            .await
    })
}

fn again(call: Call) -> Answering {
    answers!(call, {
        let Whose { org } = call.input()?;
        let input = (call.path("purchase").to_owned(), Org::new(&org)?);
        call.act(&input, |market, turn, (id, org)| Box::pin(retry(market, turn, id, org))).await
    })
}

fn given_up(call: Call) -> Answering {
    answers!(call, {
        let Whose { org } = call.input()?;
        let input = (call.path("purchase").to_owned(), Org::new(&org)?);
        call.act(&input, |market, turn, (id, org)| Box::pin(write_off(market, turn, id, org))).await
    })
}

fn delivered(call: Call) -> Answering {
    answers!(call, {
        let (market, id) = (&call.app.market, call.path("purchase"));
        let made = assemble(market, call.who()?, id, call.at).await?;
        call.act(&made, |market, turn, made| Box::pin(deliver(market, turn, made))).await
    })
}

fn accepted(call: Call) -> Answering {
    answers!(call, {
        let input = (call.path("purchase").to_owned(), call.input::<Accept>()?);
        call.act(&input, |market, turn, (id, what)| {
            Box::pin(accept(market, turn, id, what.clone()))
        })
        .await
    })
}

fn cured(call: Call) -> Answering {
    answers!(call, {
        let id = call.path("purchase").to_owned();
        call.act(&id, |market, turn, id| Box::pin(cure(market, turn, id))).await
    })
}

fn ticked(call: Call) -> Answering {
    answers!(call, {
        let id = call.path("purchase").to_owned();
        call.act(&id, |market, turn, id| Box::pin(tick(market, turn, id))).await
    })
}

fn disputed(call: Call) -> Answering {
    answers!(call, {
        let input = (call.path("purchase").to_owned(), call.input::<Open>()?);
        call.act(&input, |market, turn, (id, wish)| Box::pin(open(market, turn, id, wish.clone())))
            .await
    })
}

fn heard(call: Call) -> Answering {
    answers!(call, {
        let said = voice(&call.app.market, call.who()?, call.input::<Heard>()?).await?;
        let input = (call.path("purchase").to_owned(), said);
        call.act(&input, |market, turn, (id, said)| Box::pin(answer(market, turn, id, said))).await
    })
}

fn decided(call: Call) -> Answering {
    answers!(call, {
        let input = (call.path("purchase").to_owned(), call.input::<Decide>()?);
        call.act(&input, |market, turn, (id, wish)| {
            Box::pin(decide(market, turn, id, wish.clone()))
        })
        .await
    })
}

fn late(call: Call) -> Answering {
    answers!(call, {
        let Whose { org } = call.input()?;
        let input = (call.path("purchase").to_owned(), Org::new(&org)?);
        call.act(&input, |market, turn, (id, org)| Box::pin(overdue(market, turn, org, id))).await
    })
}
