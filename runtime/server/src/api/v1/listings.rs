//! `/listings`: what is offered to everybody, and what one's own offers say.

use axum::http::Method;
use envelope_market::agents::card::card;
use envelope_market::papers::listing::{
    Listing, NewListing, change, draft, look, offer, view, withdraw,
};
use envelope_market::{Refused, Role};
use envelope_store::noun::Noun;

use super::{answers, look};
use crate::answer::Answer;
use crate::ask::IF_MATCH;
use crate::call::Call;
use crate::route::{Answering, Gives, Needs, Route, Takes, of};

pub(super) const ROUTES: &[Route] = &[
    Route::get(("/listings", "listings"), "See what is offered", Gives::Page(of::<Listing>), list)
        .for_whom(Needs::Nobody),
    Route::post(
        ("/listings", "list"),
        "List a release; it is a draft until it is offered",
        (Role::Author, Takes::Json(of::<NewListing>), Gives::Json(of::<Listing>)),
        post,
    )
    .makes()
    .once(),
    Route::get(
        ("/listings/{listing}", "listing"),
        "Show an offer, or a draft of your own",
        Gives::Json(of::<Listing>),
        get,
    ),
    Route::get(
        ("/listings/{listing}/card", "listingCard"),
        "The card of its agent, signed by the agent: a JWS that the agent's `jwks.json` verifies",
        Gives::Other("application/jose"),
        signed_card,
    ),
    Route::change(
        &Method::PUT,
        ("/listings/{listing}", "changeListing"),
        "Change an offer: whoever saw the one before does not buy this one",
        (Role::Author, Takes::Json(of::<NewListing>), Gives::Json(of::<Listing>)),
        put,
    )
    .asks(&[IF_MATCH]),
    Route::post(
        ("/listings/{listing}/offer", "offer"),
        "Offer it to everybody, if its agent holds a badge",
        (Role::Author, Takes::Nothing, Gives::Json(of::<Listing>)),
        publish,
    ),
    Route::post(
        ("/listings/{listing}/withdraw", "withdraw"),
        "Take it back: what was bought stays bought",
        (Role::Author, Takes::Nothing, Gives::Json(of::<Listing>)),
        take_back,
    ),
];

fn list(call: Call) -> Answering {
    answers!(call, {
        let page = call.page()?;
        let found = call.tx().await?.offers(&page.after, page.count()).await?;
        let all = found.iter().map(|found| view(&found.org, &found.record));
        let all = all.collect::<Result<Vec<_>, _>>()?;
        Answer::page(&all, all.last().map(|one| one.id.as_str()), page.limit)
    })
}

fn post(call: Call) -> Answering {
    answers!(call, {
        let new: NewListing = call.input()?;
        call.act(&new, |market, turn, new| Box::pin(draft(market, turn, new.clone()))).await
    })
}

fn get(call: Call) -> Answering {
    answers!(call, {
        look!(call, tx, turn);
        let id = call.path("listing");
        let found = match turn.own(Noun::Listing, id).await {
            Ok(record) => view(&turn.who.org, &record)?,
            Err(Refused::Unknown { .. }) => look(turn.tx, id).await?,
            Err(refused) => return Err(refused.into()),
        };
        Ok(Answer::json(200, &found)?.at_version(found.version))
    })
}

fn signed_card(call: Call) -> Answering {
    answers!(call, {
        look!(call, tx, turn);
        let card = card(&call.app.market, &mut turn, call.path("listing")).await?;
        Ok(Answer::of(200, "application/jose", card.into_bytes()))
    })
}

fn put(call: Call) -> Answering {
    answers!(call, {
        let input = (call.path("listing").to_owned(), call.input::<NewListing>()?, call.version()?);
        call.act(&input, |market, turn, (id, new, version)| {
            Box::pin(async move {
                turn.unchanged(Noun::Listing, id, *version).await?;
                change(market, turn, id, new.clone()).await
            })
        })
        .await
    })
}

fn publish(call: Call) -> Answering {
    answers!(call, {
        let input = (call.app.operator.clone(), call.path("listing").to_owned());
        call.act(&input, |_, turn, (house, id)| Box::pin(offer(turn, house, id))).await
    })
}

fn take_back(call: Call) -> Answering {
    answers!(call, {
        let id = call.path("listing").to_owned();
        call.act(&id, |_, turn, id| Box::pin(withdraw(turn, id))).await
    })
}
