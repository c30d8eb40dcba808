//! A Paper for one buyer: compiled from an offer, under its standing agreement, signed by whoever
//! offers. Buying it is the buyer's signature.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_evidence::Digest;
use envelope_evidence::key::PublicKey;
use envelope_evidence::keyring::KeyRing;
use envelope_store::noun::{Change, Noun, Record};
use envelope_store::{Found, Org};
use envelope_terms::contract::Party;
use envelope_terms::deal;
use envelope_terms::document::{Chain, Document, Files, Salt, Signers, sign};
use envelope_terms::export::AcsVersion;
use envelope_terms::purchase::Seen;
use envelope_terms::source;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::listing::{Offer, found};
use super::msa::{Msa, template};
use super::party::{is_buyer, with_buyer};
use crate::keys::{self, chance};
use crate::turn::{read, text};
use crate::{Market, Refused, Role, Turn, id};

/// What somebody would buy.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// The offer.
    pub listing: String,
    /// Who would buy.
    pub buyer: Party,
}

/// A Paper as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Drawn {
    pub(crate) listing: String,
    pub(crate) seller: String,
    /// What the buyer sees: the offer, and the standing agreement as a document of the chain.
    pub(crate) seen: Seen,
    /// The words of the standing agreement.
    pub(crate) terms: Digest,
    /// The document that is bought.
    pub(crate) paper: Digest,
    /// Every file of the chain of documents, in base 64.
    files: BTreeMap<String, String>,
}

/// A Paper as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// Its id.
    pub id: String,
    /// Where it stands: `compiled`, `exacted` once it is bought, `void`.
    pub state: String,
    /// The offer it was drawn from.
    pub listing: String,
    /// Who offers.
    pub seller: String,
    /// The digest of the offer, to be said when it is bought.
    pub listing_digest: String,
    /// The digest of the standing agreement, to be said when it is bought.
    pub msa_digest: String,
    /// The digest of the Paper.
    pub digest: String,
    /// Every file of the chain of documents, in base 64: `envelope chain verify` checks them.
    pub files: BTreeMap<String, String>,
}

/// Draws a Paper up for whoever acts.
pub async fn quote(market: &Market, turn: &mut Turn<'_>, wish: Quote) -> Result<Paper, Refused> {
    turn.needs(Role::Buyer)?;
    let Found { org: seller, record } = found(turn.tx, &wish.listing).await?;
    if seller == turn.who.org {
        return Err(Refused::Party("buyer: nobody contracts with themselves, and another"));
    }
    let offer: Offer = read(&record)?;
    let (document, chain, keys) = draw(market, turn, &seller, &offer, &wish.buyer).await?;
    let mut files = chain.export(&keys, None).map_err(|why| Refused::kept("chain", why))?;
    let msa = chain.hashes().msa_hash.ok_or_else(|| Refused::kept("chain", "it has no MSA"))?;
    document.export(&mut files).map_err(|why| Refused::kept("chain", why))?;
    let id = id("pap", turn.at)?;
    let drawn = Drawn {
        listing: record.id.clone(),
        seller: seller.to_string(),
        seen: Seen { listing: Digest::of(record.body.as_bytes()), msa },
        terms: offer.terms,
        paper: document.id(),
        files: packed(&files),
    };
    let (body, at) = (text(&id, &drawn)?, turn.at);
    let first = Change { id: &id, state: "compiled", body: &body, at };
    turn.rows().add(Noun::Paper, None, first).await?;
    let owner = turn.who.org.clone();
    turn.share(&owner, &seller, Noun::Paper, &id).await?;
    let record = turn.own(Noun::Paper, &id).await?;
    view(&record)
}

/// A Paper as people see it.
pub fn view(record: &Record) -> Result<Paper, Refused> {
    let Drawn { listing, seller, seen, terms: _, paper, files } = read(record)?;
    Ok(Paper {
        id: record.id.clone(),
        state: record.state.clone(),
        listing,
        seller,
        listing_digest: seen.listing.to_string(),
        msa_digest: seen.msa.to_string(),
        digest: paper.to_string(),
        files,
    })
}

/// The Paper with the seller's signature, the chain above it, and the keys of both.
async fn draw(
    market: &Market,
    turn: &mut Turn<'_>,
    seller: &Org,
    offer: &Offer,
    buyer: &Party,
) -> Result<(Document, Chain, [PublicKey; 2]), Refused> {
    let msa = turn.tx.of(seller).get(Noun::Msa, &offer.msa).await?;
    let unknown = || Refused::Unknown { what: "msas", id: offer.msa.clone() };
    let msa: Msa = read(&msa.ok_or_else(unknown)?)?;
    let whole = with_buyer(&offer.source, buyer)?;
    let flawed = |report| Refused::Flawed(Box::new(report));
    let checked = source::check("quote.paper.md", whole.as_bytes(), &[]).map_err(flawed)?;
    is_buyer(checked.contract(), buyer)?;
    let paper = checked.paper(AcsVersion::default());
    let paper = paper.map_err(|why| Refused::invalid("source", why))?;
    let at = turn.at;
    let ours = keys::documents(&mut turn.tx.of(seller), &market.masters, at).await?;
    let theirs = keys::documents(&mut turn.rows(), &market.masters, at).await?;
    let signers = Signers::new([theirs.id()], [ours.id()]);
    let signers = signers.map_err(|why| Refused::invalid("buyer", why))?;
    let mut chain = Chain::new();
    let standing = deal::standard(&chain, &template(&msa.text)?, &paper, Salt::new(chance()?))?;
    chain.append(standing, &KeyRing::default())?;
    let document = deal::paper(&chain, &paper, signers, Salt::new(chance()?))?;
    let signed = sign(document.kind(), document.id(), at, &ours);
    let signed = signed.map_err(|why| Refused::kept("signature", why))?;
    Ok((document.signed(signed), chain, [ours.public(), theirs.public()]))
}

impl Drawn {
    /// The files of the chain.
    pub(crate) fn files(&self) -> Result<Files, Refused> {
        let unpack = |(name, text): (&String, &String)| {
            let bytes = STANDARD.decode(text).map_err(|why| Refused::kept(name, why))?;
            Ok((name.clone(), bytes))
        };
        self.files.iter().map(unpack).collect()
    }

    /// The same Paper with these files.
    pub(crate) fn with(self, files: &Files) -> Self {
        Self { files: packed(files), ..self }
    }
}

fn packed(files: &Files) -> BTreeMap<String, String> {
    files.iter().map(|(name, bytes)| (name.clone(), STANDARD.encode(bytes))).collect()
}
