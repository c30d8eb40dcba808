//! `/hooks`, and what they were told.

use axum::http::Method;
use envelope_market::Role;
use envelope_market::hooks::{
    Delivery, Hook, NewHook, again, deliveries, end, renew, subscribe, view,
};
use envelope_store::noun::Noun;

use super::{answers, look};
use crate::answer::Answer;
use crate::call::Call;
use crate::route::{Answering, Gives, Needs, Route, Takes, of};

const OWNER: Needs = Needs::Role(Role::Owner);
const SHOWN: Gives = Gives::Json(of::<Hook>);

pub(super) const ROUTES: &[Route] = &[
    Route::get(
        ("/hooks", "hooks"),
        "List who is told of what happens",
        Gives::Page(of::<Hook>),
        list,
    )
    .for_whom(OWNER),
    Route::post(
        ("/hooks", "makeHook"),
        "Have an address told of what happens; what signs is shown this once",
        (Role::Owner, Takes::Json(of::<NewHook>), SHOWN),
        post,
    )
    .makes(),
    Route::get(("/hooks/{hook}", "hook"), "Show one", SHOWN, get).for_whom(OWNER),
    Route::change(
        &Method::DELETE,
        ("/hooks/{hook}", "endHook"),
        "Tell it nothing more",
        (Role::Owner, Takes::Nothing, SHOWN),
        delete,
    ),
    Route::post(
        ("/hooks/{hook}/secret", "renewHook"),
        "Sign by another secret; the one before signs beside it for a day",
        (Role::Owner, Takes::Nothing, SHOWN),
        secret,
    ),
    Route::get(
        ("/hooks/{hook}/deliveries", "deliveries"),
        "List what it was told, and how that went",
        Gives::Page(of::<Delivery>),
        told,
    )
    .for_whom(OWNER),
    Route::post(
        ("/deliveries/{delivery}/again", "tellAgain"),
        "Have it told again",
        (Role::Owner, Takes::Nothing, Gives::Json(of::<Delivery>)),
        retry,
    )
    .once(),
];

fn list(call: Call) -> Answering {
    answers!(call, {
        let page = call.page()?;
        look!(call, tx, turn);
        let rows = turn.rows().page(Noun::Hook, &page.after, page.count()).await?;
        let hooks = rows.iter().map(view).collect::<Result<Vec<_>, _>>()?;
        Answer::page(&hooks, rows.last().map(|row| row.id.as_str()), page.limit)
    })
}

fn post(call: Call) -> Answering {
    answers!(call, {
        let new: NewHook = call.input()?;
        call.act(&new, |market, turn, new| Box::pin(subscribe(market, turn, new.clone()))).await
    })
}

fn get(call: Call) -> Answering {
    answers!(call, {
        look!(call, tx, turn);
        let record = turn.own(Noun::Hook, call.path("hook")).await?;
        Ok(Answer::json(200, &view(&record)?)?.at_version(record.version))
    })
}

fn delete(call: Call) -> Answering {
    answers!(call, {
        let id = call.path("hook").to_owned();
        call.act(&id, |_, turn, id| Box::pin(end(turn, id))).await
    })
}

fn secret(call: Call) -> Answering {
    answers!(call, {
        let id = call.path("hook").to_owned();
        call.act(&id, |market, turn, id| Box::pin(renew(market, turn, id))).await
    })
}

fn told(call: Call) -> Answering {
    answers!(call, {
        let page = call.page()?;
        look!(call, tx, turn);
        let mut all = deliveries(&mut turn, call.path("hook"), &page.after).await?;
        all.truncate(page.limit);
        Answer::page(&all, all.last().map(|one| one.id.as_str()), page.limit)
    })
}

fn retry(call: Call) -> Answering {
    answers!(call, {
        let id = call.path("delivery").to_owned();
        call.act(&id, |_, turn, id| Box::pin(again(turn, id))).await
    })
}
