//! `/keys`.

use axum::http::Method;
use envelope_market::Role;
use envelope_market::identity::key::{Key, NewKey, is_key, issue, revoke, view};
use envelope_store::noun::Noun;

use super::{answers, look};
use crate::answer::Answer;
use crate::call::Call;
use crate::route::{Answering, Gives, Needs, Route, Takes, of};

pub(super) const ROUTES: &[Route] = &[
    Route::get(("/keys", "keys"), "List your keys", Gives::Page(of::<Key>), list),
    Route::post(
        ("/keys", "makeKey"),
        "Make a key; it is shown this once",
        (Role::Owner, Takes::Json(of::<NewKey>), Gives::Json(of::<Key>)),
        post,
    )
    .makes()
    .for_whom(Needs::Anybody),
    Route::change(
        &Method::DELETE,
        ("/keys/{key}", "revokeKey"),
        "Take a key back, at once",
        (Role::Owner, Takes::Nothing, Gives::Json(of::<Key>)),
        delete,
    )
    .for_whom(Needs::Anybody),
];

fn list(call: Call) -> Answering {
    answers!(call, {
        let page = call.page()?;
        look!(call, tx, turn);
        let all = turn.who.may(Role::Auditor);
        let mut rows = turn.rows().page(Noun::Credential, &page.after, page.count()).await?;
        rows.retain(is_key);
        let mut keys = rows.iter().map(view).collect::<Result<Vec<_>, _>>()?;
        // Whoever may not read everything sees their own.
        keys.retain(|key| all || key.user == turn.who.user);
        let more = rows.len() >= page.limit;
        let next = rows.last().map(|row| row.id.as_str()).filter(|_| more);
        Answer::json(200, &serde_json::json!({ "data": keys, "has_more": more, "next": next }))
    })
}

fn post(call: Call) -> Answering {
    answers!(call, {
        let new: NewKey = call.input()?;
        call.act(&new, |market, turn, new| Box::pin(issue(market, turn, new.clone()))).await
    })
}

fn delete(call: Call) -> Answering {
    answers!(call, {
        let id = call.path("key").to_owned();
        call.act(&id, |_, turn, id| Box::pin(revoke(turn, id))).await
    })
}
