//! `/users`.

use std::collections::BTreeSet;

use axum::http::Method;
use envelope_market::Role;
use envelope_market::identity::user::{NewUser, User, add, erase, one, set_roles, view};
use envelope_market::shape::distinct;
use envelope_store::noun::Noun;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{answers, look};
use crate::answer::Answer;
use crate::ask::IF_MATCH;
use crate::call::Call;
use crate::route::{Answering, Gives, Needs, Route, Takes, of};

pub(super) const ROUTES: &[Route] = &[
    Route::get(("/users", "users"), "List the people", Gives::Page(of::<User>), list)
        .for_whom(Needs::Role(Role::Auditor)),
    Route::post(
        ("/users", "addUser"),
        "Add somebody",
        (Role::Owner, Takes::Json(of::<NewUser>), Gives::Json(of::<User>)),
        post,
    )
    // No answer is kept of it: whoever is forgotten must not stand in one.
    .makes(),
    Route::get(("/users/{user}", "user"), "Show somebody", Gives::Json(of::<User>), get)
        .for_whom(Needs::Role(Role::Auditor)),
    Route::change(
        &Method::PUT,
        ("/users/{user}/roles", "setRoles"),
        "Say what somebody may do",
        (Role::Owner, Takes::Json(of::<Roles>), Gives::Json(of::<User>)),
        roles,
    )
    .asks(&[IF_MATCH]),
    Route::change(
        &Method::DELETE,
        ("/users/{user}", "eraseUser"),
        "Forget somebody: all that is personal is destroyed",
        (Role::Owner, Takes::Nothing, Gives::Json(of::<User>)),
        delete,
    )
    .asks(&[IF_MATCH]),
];

/// What somebody may do.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Roles {
    /// All of it.
    #[serde(deserialize_with = "distinct")]
    #[schemars(length(min = 1))]
    roles: BTreeSet<Role>,
}

fn list(call: Call) -> Answering {
    answers!(call, {
        let page = call.page()?;
        look!(call, tx, turn);
        let rows = turn.rows().page(Noun::User, &page.after, page.count()).await?;
        let mut users = Vec::new();
        for row in &rows {
            users.push(view(&call.app.market, &mut turn, row).await?);
        }
        Answer::page(&users, rows.last().map(|row| row.id.as_str()), page.limit)
    })
}

fn post(call: Call) -> Answering {
    answers!(call, {
        let new: NewUser = call.input()?;
        call.act(&new, |market, turn, new| Box::pin(add(market, turn, new.clone()))).await
    })
}

fn get(call: Call) -> Answering {
    answers!(call, {
        look!(call, tx, turn);
        let user = one(&call.app.market, &mut turn, call.path("user")).await?;
        Ok(Answer::json(200, &user)?.at_version(user.version))
    })
}

fn roles(call: Call) -> Answering {
    answers!(call, {
        let Roles { roles } = call.input()?;
        let input = (call.path("user").to_owned(), roles, call.version()?);
        call.act(&input, |market, turn, (id, roles, version)| {
            Box::pin(async move {
                turn.unchanged(Noun::User, id, *version).await?;
                set_roles(market, turn, id, roles).await
            })
        })
        .await
    })
}

fn delete(call: Call) -> Answering {
    answers!(call, {
        let input = (call.path("user").to_owned(), call.version()?);
        call.act(&input, |market, turn, (id, version)| {
            Box::pin(async move {
                turn.unchanged(Noun::User, id, *version).await?;
                erase(market, turn, id).await
            })
        })
        .await
    })
}
