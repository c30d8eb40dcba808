//! The rules of a chain, for whoever adds to one and whoever checks one.

use std::collections::BTreeSet;

use envelope_evidence::chain::Chain as Links;
use envelope_evidence::dsse::Envelope;
use envelope_evidence::key::Purpose;
use envelope_evidence::keyring::KeyRing;
use envelope_evidence::{Digest, Timestamp};

use super::difference::{self, Terms};
use super::kind::Kind;
use super::node::{Amendment, Body, DOCUMENTS_MAX, Node};
use super::prose::Text;
use super::redline::{self, Redline};
use super::refused::Refused;
use super::signature::{self, Level, SIGNATURE_TYPE, Signing};
use super::signers::{Side, Signers};

/// Where a chain stands: what the next document has to fit.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    links: Links,
    last: Option<Kind>,
    /// Whose keys sign the next document.
    signers: Option<Signers>,
    /// The terms of the Paper as amended.
    terms: Terms,
    /// The text of the Paper as amended, unless it is withheld.
    text: Option<Text>,
    /// When the newest signed document was signed.
    signed: Option<Timestamp>,
}

impl Standing {
    pub(super) const fn head(&self) -> Option<Digest> {
        self.links.head()
    }

    pub(super) const fn seq(&self) -> u64 {
        self.links.links()
    }

    pub(super) const fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(super) const fn signers(&self) -> Option<&Signers> {
        self.signers.as_ref()
    }

    pub(super) const fn text(&self) -> Option<&Text> {
        self.text.as_ref()
    }

    /// Moves on to `node`, whose bytes are `bytes`: its kind, its number and its parent fit.
    pub(super) fn link(&mut self, node: &Node, bytes: &[u8]) -> Result<(), Refused> {
        let (kind, expected) = (node.kind(), self.seq());
        if expected >= DOCUMENTS_MAX {
            return Err(Refused::TooMany);
        }
        if !kind.follows(self.last) {
            return Err(Refused::Order { kind, before: self.last });
        }
        let mut links = self.links;
        links.accept(bytes, node.parent).map_err(|broken| Refused::Stale(broken.why))?;
        if node.seq != expected {
            return Err(Refused::Seq { expected, found: node.seq });
        }
        self.links = links;
        self.last = Some(kind);
        Ok(())
    }

    /// Takes over what `node` says about terms and signers.
    pub(super) fn take_terms(&mut self, node: &Node) -> Result<(), Refused> {
        match &node.body {
            Body::Paper(paper) => {
                self.terms.clone_from(&paper.terms);
                self.signers = Some(paper.signers.clone());
            }
            Body::Amendment(amendment) => {
                difference::apply(&mut self.terms, &amendment.difference)?;
            }
            Body::Tos(_)
            | Body::BaseTerms(_)
            | Body::Schedule(_)
            | Body::Msa(_)
            | Body::SideLetter(_) => {}
        }
        Ok(())
    }

    /// Takes over the text of a Paper or an amendment; nothing when it is withheld.
    pub(super) fn take_text(&mut self, kind: Kind, text: Option<Text>) {
        if matches!(kind, Kind::Paper | Kind::Amendment) {
            self.text = text;
        }
    }

    /// Checks that `redline` is the one `amendment` names, and that it leads from the text that
    /// stands to `new`.
    pub(super) fn redline(
        &self,
        amendment: &Amendment,
        new: &Text,
        redline: &[u8],
    ) -> Result<(), Refused> {
        let old = self.text().ok_or(Refused::Redline)?;
        let read = std::str::from_utf8(redline).ok().and_then(Redline::parse);
        let read = read.ok_or(Refused::Redline)?;
        let leads = read.old == old.prose() && read.new == new.prose();
        if !leads || redline::digest(old, new, redline) != amendment.redline {
            return Err(Refused::Redline);
        }
        let idle = amendment.difference.is_empty() && amendment.signers.is_none();
        if idle && read.old == read.new { Err(Refused::Idle) } else { Ok(()) }
    }

    /// Checks that both sides signed `node`, each signature by a key of theirs that `ring` trusts.
    pub(super) fn sign(
        &mut self,
        node: &Node,
        id: Digest,
        envelope: &Envelope,
        ring: &KeyRing,
    ) -> Result<(Timestamp, Level), Refused> {
        let statement = signature::read::<Signing>(envelope, SIGNATURE_TYPE)?;
        let Signing { level, signed } = statement.predicate;
        match statement.subject.as_slice() {
            [one] if one.name == node.kind().name() && one.digest.digest() == id => {}
            _ => return Err(Refused::OtherDocument),
        }
        if level != Level::Key {
            return Err(Refused::Level(level));
        }
        let signers = self.signers.as_ref().ok_or(Refused::Unsigned)?;
        agreed(signers, &Side::ALL, envelope, signed.0, ring)?;
        if let Some(before) = self.signed.filter(|&before| signed.0 < before) {
            return Err(Refused::Backdated { before, found: signed.0 });
        }
        self.signed = Some(signed.0);
        if let Body::Amendment(Amendment { signers: Some(signers), .. }) = &node.body {
            self.signers = Some(signers.clone());
        }
        Ok((signed.0, level))
    }
}

/// Checks that the text is the one that `node` names.
pub(super) fn text(node: &Node, text: &Text) -> Result<(), Refused> {
    let (found, expected) = (text.digest(), node.prose);
    if found != expected {
        return Err(Refused::OtherProse { expected, found });
    }
    let (found, expected) = (text.root(), node.clauses);
    if found == expected { Ok(()) } else { Err(Refused::OtherClauses { expected, found }) }
}

/// Checks every signature of `envelope`: by a key of one of the sides, and all `sides` are there.
pub(super) fn agreed(
    signers: &Signers,
    sides: &[Side],
    envelope: &Envelope,
    at: Timestamp,
    ring: &KeyRing,
) -> Result<(), Refused> {
    let mut there = BTreeSet::new();
    for kid in envelope.key_ids() {
        there.insert(signers.side_of(kid).ok_or_else(|| Refused::Foreign(kid.to_owned()))?);
    }
    if let Some(missing) = sides.iter().find(|side| !there.contains(side)) {
        return Err(Refused::OneSided(*missing));
    }
    Ok(envelope.verify(ring, &[Purpose::Document], at)?)
}
