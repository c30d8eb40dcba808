//! `/session` and `/me`: people who sign in with a password.

use std::sync::Arc;

use axum::http::{Method, header};
use envelope_market::identity::password::{self, Kept, NewPassword, Password, SignIn};
use envelope_market::identity::session::{self, LIFE, Opened, Session};
use envelope_market::identity::user::{self, User};
use envelope_market::{Means, Refused, Role};
use envelope_store::Org;

use super::{answers, look};
use crate::answer::Answer;
use crate::call::Call;
use crate::rate::{Let, Rate};
use crate::route::{Answering, Gives, Needs, Route, Takes, of};
use crate::{App, Problem, cookie};

pub(super) const ROUTES: &[Route] = &[
    Route::post(
        ("/session", "signIn"),
        "Sign in: the answer sets a cookie",
        (Role::Owner, Takes::Json(of::<SignIn>), Gives::Json(of::<Session>)),
        post,
    )
    .makes()
    .for_whom(Needs::Nobody)
    .signs_in(),
    Route::change(
        &Method::DELETE,
        ("/session", "signOut"),
        "Sign out",
        (Role::Owner, Takes::Nothing, Gives::Json(of::<Session>)),
        delete,
    )
    .for_whom(Needs::Anybody),
    Route::get(("/me", "me"), "Show who you are", Gives::Json(of::<User>), me),
    Route::change(
        &Method::PUT,
        ("/me/password", "setPassword"),
        "Set your password: whoever is signed in with the one before no longer is",
        (Role::Owner, Takes::Json(of::<NewPassword>), Gives::Json(of::<User>)),
        put,
    )
    .for_whom(Needs::Anybody)
    .signs_in(),
];

/// All who do not get in are told the same, after the same work.
fn refused() -> Problem {
    Problem::new("SIGN_IN", "organisation, address and password do not go together")
}

fn post(call: Call) -> Answering {
    answers!(call, {
        let SignIn { organisation, email, password } = call.input()?;
        let org = Org::new(&organisation).map_err(|_| refused())?;
        slow(&call, &format!("{org}\n{}", email.as_str().to_lowercase()))?;
        let market = &call.app.market;
        let found = password::find(market, &mut call.tx().await?, &org, &email).await?;
        let kept = found.clone().unwrap_or_else(Kept::nobody);
        let fits = looked_at(&call.app, kept.clone(), password).await?;
        let kept = found.filter(|_| fits).ok_or_else(refused)?;
        let whose = (org, kept.user().to_owned());
        let who = user::acting(&mut call.tx().await?, whose, Means::Session).await?;
        let (who, input) = (who.ok_or_else(refused)?, (email, kept));
        let opened = market.act((&who, call.at), &input, |market, turn, (email, kept)| {
            Box::pin(async move {
                // It may have been changed while it was looked at.
                let now = password::find(market, turn.tx, &turn.who.org, email).await?;
                if now.as_ref() != Some(kept) {
                    return Ok(None);
                }
                session::open(turn).await.map(Some)
            })
        });
        let Opened { session, token } = opened.await?.ok_or_else(refused)?;
        Ok(Answer::json(201, &session)?
            .with(header::SET_COOKIE, &cookie::kept(&token, LIFE / 1000)))
    })
}

/// Whoever guesses the password of one address waits, from wherever they do.
fn slow(call: &Call, whose: &str) -> Result<(), Problem> {
    match call.app.buckets.one(whose, Rate::SignIn, call.at) {
        Let::Through(_) => Ok(()),
        Let::After(seconds) => {
            Err(Problem::new("RATE", "too many passwords").with("retry_after", seconds))
        }
    }
}

/// Whether it is the password, looked at beside what else the server does.
async fn looked_at(app: &Arc<App>, kept: Kept, password: Password) -> Result<bool, Problem> {
    beside(app, move || kept.is(&password)).await
}

async fn beside<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Problem> {
    let broken = || Problem::new("INTERNAL", "a password could not be looked at");
    let turn = Arc::clone(&app.passwords).acquire_owned().await.map_err(|_| broken())?;
    let done = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    Ok(done.await.map_err(|_| broken())??)
}

fn delete(call: Call) -> Answering {
    answers!(call, {
        let token = call.cookie().ok_or_else(|| Problem::new("NOT_FOUND", "you use a key"))?;
        let id = session::id_of(token);
        let closed = call.act(&id, |_, turn, id| Box::pin(session::close(turn, id))).await?;
        Ok(closed.with(header::SET_COOKIE, &cookie::forgotten()))
    })
}

fn me(call: Call) -> Answering {
    answers!(call, {
        look!(call, tx, turn);
        let id = turn.who.user.clone();
        let user = user::one(&call.app.market, &mut turn, &id).await?;
        Ok(Answer::json(200, &user)?.at_version(user.version))
    })
}

fn put(call: Call) -> Answering {
    answers!(call, {
        let NewPassword { password, before } = call.input()?;
        let (market, who) = (&call.app.market, call.who()?);
        look!(call, tx, turn);
        let user = user::one(market, &mut turn, &who.user).await?;
        let email = user.email.ok_or_else(|| Problem::new("NOT_FOUND", "you were erased"))?;
        let known = password::find(market, turn.tx, &who.org, &email).await?;
        drop(tx);
        if let Some(known) = known.clone().filter(|known| known.user() == who.user) {
            slow(&call, &who.user)?;
            let before = before.ok_or_else(refused)?;
            if !looked_at(&call.app, known, before).await? {
                return Err(refused());
            }
        }
        let id = who.user.clone();
        let kept = beside(&call.app, move || Kept::of(&id, &password)).await?;
        let input = (known, kept);
        let done = call.act(&input, |market, turn, (known, kept)| {
            Box::pin(async move {
                password::set(market, turn, (known.as_ref(), kept)).await?;
                user::one(market, turn, kept.user()).await
            })
        });
        done.await
    })
}
