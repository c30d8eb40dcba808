//! Somebody buys: what they saw is what is offered, in this very transaction, or nothing happens.

use envelope_evidence::Digest;
use envelope_evidence::key::Window;
use envelope_evidence::keyring::{KeyRecord, KeyRing};
use envelope_store::Org;
use envelope_store::noun::{Change, Noun};
use envelope_terms::contract::{DigestShape, Id};
use envelope_terms::document::{self, Chain, own_keys};
use envelope_terms::escrow::ProviderId;
use envelope_terms::purchase::{self, Act, Seen, Snapshot};
use envelope_terms::{deal, purchase::Refused as Unsold};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::deal::{Deal, Kept};
use super::view::Purchase;
use crate::papers::listing::{Offer, badged, found};
use crate::papers::msa::{Msa, template};
use crate::papers::quote::Drawn;
use crate::turn::{read, text};
use crate::{Market, Refused, Role, Turn, id, keys};

/// What is bought, and what the buyer saw of it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Buy {
    /// The Paper.
    pub paper: String,
    /// The digest of the offer that the buyer saw.
    #[schemars(with = "DigestShape")]
    pub listing_digest: String,
    /// The digest of the standing agreement that the buyer saw.
    #[schemars(with = "DigestShape")]
    pub msa_digest: String,
}

/// Buys a Paper for whoever acts: signs it, takes the snapshot, and asks for the money.
pub async fn buy(
    market: &Market,
    turn: &mut Turn<'_>,
    operator: &Org,
    wish: &Buy,
) -> Result<Purchase, Refused> {
    turn.needs(Role::Buyer)?;
    let record = turn.own(Noun::Paper, &wish.paper).await?;
    let drawn: Drawn = read(&record)?;
    let digest = |field, text: &str| text.parse().map_err(|why| Refused::invalid(field, why));
    let seen = Seen {
        listing: digest("listing_digest", &wish.listing_digest)?,
        msa: digest("msa_digest", &wish.msa_digest)?,
    };
    let seller = Org::new(&drawn.seller)?;
    let (offer, current) = current(turn, &seller, &drawn).await?;
    if seen != drawn.seen || seen != current {
        return Err(Unsold::ListingModified(Box::new(purchase::Modified { seen, current })).into());
    }
    if record.state != "compiled" {
        let (id, state) = (record.id, record.state);
        return Err(Refused::NotNow { what: "paper", id, state, act: "to buy it" });
    }
    badged(turn, operator, &seller, &offer).await?;
    let id = id("pur", turn.at)?;
    let (files, snapshot) = signed(market, turn, &id, &drawn).await?;
    let (listing, seller) = (drawn.listing.clone(), drawn.seller.clone());
    let body = text(&record.id, &drawn.with(&files))?;
    let change = Change { id: &record.id, state: "exacted", body: &body, at: turn.at };
    turn.rows().step(Noun::Paper, record.version, change).await?;
    let purchase = purchase::Purchase::compiled(snapshot);
    let kept = Kept { paper: record.id, listing, seller, purchase, head: None, links: 0 };
    let act = Act::Buy { seen, current, provider: ProviderId::Manual };
    Deal::begin(market, turn, (id, kept), act).await?.view()
}

/// The offer, and what somebody who looks now sees of it.
async fn current(
    turn: &mut Turn<'_>,
    seller: &Org,
    drawn: &Drawn,
) -> Result<(Offer, Seen), Refused> {
    let record = found(turn.tx, &drawn.listing).await?.record;
    let offer: Offer = read(&record)?;
    let msa = turn.tx.of(seller).get(Noun::Msa, &offer.msa).await?;
    let unknown = || Refused::Unknown { what: "msas", id: offer.msa.clone() };
    let msa: Msa = read(&msa.ok_or_else(unknown)?)?;
    let terms = template(&msa.text)?.digest();
    // As a document it is drawn up for each buyer, and the same as long as its words are.
    let msa = if terms == drawn.terms { drawn.seen.msa } else { terms };
    Ok((offer, Seen { listing: Digest::of(record.body.as_bytes()), msa }))
}

/// The chain with the buyer's signature and the snapshot, and what the purchase rests on.
async fn signed(
    market: &Market,
    turn: &mut Turn<'_>,
    id: &str,
    drawn: &Drawn,
) -> Result<(document::Files, Snapshot), Refused> {
    let (files, at) = (drawn.files()?, turn.at);
    let key = keys::documents(&mut turn.rows(), &market.masters, at).await?;
    let theirs = own_keys(&files)?;
    let own = KeyRecord::of(&key, Window::ALWAYS);
    let mut records: Vec<_> = theirs.records().cloned().collect();
    records.retain(|record| record.key != own.key);
    records.push(own);
    let publics: Vec<_> = records.iter().map(|record| record.key).collect();
    let ring = KeyRing::new(records).map_err(|why| Refused::kept(id, why))?;
    let (mut chain, pending) = Chain::resume(&files, &ring)?;
    let spoilt = || Refused::kept(id, "its Paper is not one that waits for the buyer");
    let document = pending.ok_or_else(spoilt)?;
    let envelope = document.signatures().ok_or_else(spoilt)?.clone().cosign(&key);
    chain.append(document.signed(envelope), &ring)?;
    let taken = document::Snapshot::of(&chain, at).map_err(|why| Refused::kept(id, why))?;
    let taken = taken.sign(&key);
    let files = chain.export(&publics, Some(&taken)).map_err(|why| Refused::kept(id, why))?;
    let prose = chain.prose().ok_or_else(spoilt)?;
    let paper = deal::read(chain.terms(), prose).map_err(|why| Refused::kept(id, why))?;
    let name = Id::new(id.replace('_', "-")).map_err(|why| Refused::kept(id, why))?;
    let snapshot = Snapshot {
        purchase: name,
        papers: chain.documents().iter().map(document::Document::id).collect(),
        msa: drawn.seen.msa,
        paper: drawn.paper,
        contract: paper.contract,
    };
    Ok((files, snapshot))
}
