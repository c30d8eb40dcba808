//! Verification of an exported chain by somebody who trusts nothing but a few public keys.
//!
//! The answer is a [`Report`] with one line per check. Every byte of every file is covered: what no
//! check covers is a stray. A chain that was cut short is a chain too, so compare its head with the
//! one you were told, or ask for the snapshot.

use std::collections::BTreeSet;

use envelope_evidence::key::PublicKey;
use envelope_evidence::keyring::KeyRing;
use envelope_evidence::verify::{Finding, Report};
use envelope_evidence::{Digest, Timestamp, canonical};

use super::chain::{Hashes, name};
use super::clause::Disclosure;
use super::difference::Terms;
use super::folder::{Files, KEYS, NODES, Part, SNAPSHOT_FILE, key_file, parse_envelope, read_text};
use super::kind::Kind;
use super::node::{Amendment, Body, Node};
use super::prose::Text;
use super::refused::Refused;
use super::rules::{self, Standing};
use super::side_letter::Sealed;
use super::signature::Level;
use super::signers::{Side, Signers};
use super::snapshot;

/// What a verified chain says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// The id of the newest document. It stands for the whole chain.
    pub head: Digest,
    /// The number of documents.
    pub documents: u64,
    /// The digests of the layers.
    pub hashes: Hashes,
    /// How much each signature proves at least.
    pub level: Level,
    /// When the newest document was signed, as the parties say.
    pub signed: Timestamp,
    /// The terms of the Paper as amended.
    pub terms: Terms,
}

/// Checks every file of an exported chain against the keys in `ring`.
pub fn verify_chain(files: &Files, ring: &KeyRing) -> Report<Agreed> {
    let mut walk = Walk {
        files,
        ring,
        used: BTreeSet::new(),
        standing: Standing::default(),
        documents: Vec::new(),
        signers: Vec::new(),
        signed: None,
        report: Report::default(),
    };
    if walk.documents().is_some() {
        walk.agreed();
    }
    walk.report
}

struct Walk<'a> {
    files: &'a Files,
    ring: &'a KeyRing,
    /// The files that a check covered.
    used: BTreeSet<&'a str>,
    standing: Standing,
    documents: Vec<(Kind, Digest)>,
    /// Whose keys sign from which document on.
    signers: Vec<(usize, Signers)>,
    signed: Option<(Timestamp, Level)>,
    report: Report<Agreed>,
}

impl<'a> Walk<'a> {
    /// Checks document after document; nothing when one does not fit, for then no other can.
    fn documents(&mut self) -> Option<()> {
        let nodes = self.files.range(NODES.to_owned()..);
        for (file, bytes) in nodes.take_while(|(file, _)| file.starts_with(NODES)) {
            self.used.insert(file);
            let label = file.trim_start_matches(NODES).trim_end_matches(".json");
            let linked = self.link(file, bytes);
            let node = self.check(format!("{label}.node"), linked)?;
            let text = self.text(label, &node)?;
            self.changed(label, &node, text)?;
            if node.kind().is_signed() {
                let signed = self.signatures(&node);
                let signed = self.check(format!("{label}.signatures"), signed)?;
                self.signed = Some(signed);
            }
            if self.standing.signers() != self.signers.last().map(|(_, signers)| signers) {
                let from = self.documents.len();
                self.signers.extend(self.standing.signers().cloned().map(|it| (from, it)));
            }
        }
        Some(())
    }

    fn link(&mut self, file: &str, bytes: &[u8]) -> Result<(Node, String), Refused> {
        let node = Node::parse(bytes)?;
        if file != Part::Node.file(node.seq, node.kind()) {
            let right = name(node.seq, node.kind());
            return Err(Refused::Shape(format!("the file of this document is named `{right}`")));
        }
        self.standing.link(&node, bytes)?;
        let id = Digest::of(bytes);
        self.documents.push((node.kind(), id));
        Ok((node, id.to_string()))
    }

    /// The prose, or as much of it as is shown.
    fn text(&mut self, label: &str, node: &Node) -> Option<Option<Text>> {
        if node.kind() == Kind::SideLetter {
            self.sealed(label, node)?;
            return Some(None);
        }
        let what = format!("{label}.prose");
        if let Some(prose) = self.file(Part::Prose, node) {
            let read = read_text(prose, self.file(Part::Salt, node).unwrap_or_default());
            let checked = read.and_then(|text| rules::text(node, &text).map(|()| text));
            let said = |text| (text, "the prose and its clauses".to_owned());
            return self.check(what, checked.map(said)).map(Some);
        }
        if let Some(bytes) = self.file(Part::Clauses, node) {
            let shown = disclosed(node, bytes);
            self.check(format!("{label}.clauses"), shown.map(|said| ((), said)))?;
        }
        self.report.add(what, Finding::Withheld(node.prose));
        Some(None)
    }

    fn sealed(&mut self, label: &str, node: &Node) -> Option<()> {
        let what = format!("{label}.sealed");
        let Some(file) = self.file(Part::Sealed, node) else {
            self.report.add(what, Finding::Withheld(node.prose));
            return Some(());
        };
        let sealed = Sealed::check(node, file).map_err(Refused::from);
        let said = |sealed: Sealed| ((), format!("for {} readers", sealed.readers().count()));
        self.check(what, sealed.map(said))
    }

    /// Takes over terms and prose, after checking what an amendment says of both.
    fn changed(&mut self, label: &str, node: &Node, text: Option<Text>) -> Option<()> {
        let taken = self.standing.take_terms(node);
        if let Body::Amendment(amendment) = &node.body {
            let count = amendment.difference.len();
            let said = format!("{count} changes lead to the terms as amended");
            self.check(format!("{label}.difference"), taken.map(|()| ((), said)))?;
            self.redline(label, node, amendment, text.as_ref())?;
        }
        self.standing.take_text(node.kind(), text);
        Some(())
    }

    fn redline(
        &mut self,
        label: &str,
        node: &Node,
        amendment: &Amendment,
        text: Option<&Text>,
    ) -> Option<()> {
        let what = format!("{label}.redline");
        // Its digest is salted by both texts: without one of them it cannot be checked, and then
        // it has no business in the folder.
        let (Some(text), Some(_)) = (text, self.standing.text()) else {
            self.report.add(what, Finding::Withheld(amendment.redline));
            return Some(());
        };
        let redline = self.file(Part::Redline, node).ok_or(Refused::Redline);
        let checked = redline.and_then(|bytes| self.standing.redline(amendment, text, bytes));
        let said = "it leads from the text before to the text after".to_owned();
        self.check(what, checked.map(|()| ((), said)))
    }

    fn signatures(&mut self, node: &Node) -> Result<((Timestamp, Level), String), Refused> {
        let bytes = self.file(Part::Signatures, node).ok_or(Refused::Unsigned)?;
        let envelope = parse_envelope(bytes)?;
        let (_, id) = *self.documents.last().ok_or(Refused::Unsigned)?;
        let (at, level) = self.standing.sign(node, id, &envelope, self.ring)?;
        let keys = envelope.key_ids().count();
        Ok(((at, level), format!("{keys} signatures of level `{level}`, signed {at} they say")))
    }

    /// What is left when all documents hold.
    fn agreed(&mut self) {
        let keys = self.keys();
        self.check("keys".to_owned(), keys.map(|count| ((), format!("{count} public keys"))));
        let mut hashes = Hashes::of(self.documents.iter().copied());
        if let Some(bytes) = self.files.get(SNAPSHOT_FILE) {
            self.used.insert(SNAPSHOT_FILE);
            let taken = self.snapshot(bytes);
            hashes.paper_snapshot_hash = self.check("snapshot".to_owned(), taken);
        }
        if let Some(stray) = self.files.keys().find(|file| !self.used.contains(file.as_str())) {
            self.report.fails("folder.strays", format!("no check covers `{stray}`"));
        }
        match (self.standing.head(), self.signed) {
            (Some(head), Some((signed, level))) => {
                let (documents, terms) = (self.standing.seq(), self.standing.terms().clone());
                let agreed = Agreed { head, documents, hashes, level, signed, terms };
                self.report.said = Some(agreed);
            }
            _ => self.report.fails("chain.paper", "there is no signed Paper: nothing is agreed"),
        }
    }

    /// The keys in the folder are for those who have no key ring: each is its name, and one of the
    /// signers'.
    fn keys(&mut self) -> Result<usize, Refused> {
        let keys = self.files.range(KEYS.to_owned()..);
        let mut count = 0;
        for (file, bytes) in keys.take_while(|(file, _)| file.starts_with(KEYS)) {
            self.used.insert(file);
            let text = std::str::from_utf8(bytes).unwrap_or_default();
            let key = PublicKey::from_pem(text).map_err(|why| shape(file, &why.to_string()))?;
            let id = key.id();
            if *file != key_file(&id) {
                return Err(shape(file, &format!("it is key `{id}`")));
            }
            let signs = |(_, signers): &(usize, Signers)| signers.side_of(&id).is_some();
            if !self.signers.iter().any(signs) {
                return Err(Refused::Foreign(id));
            }
            count += 1;
        }
        Ok(count)
    }

    fn snapshot(&mut self, bytes: &[u8]) -> Result<(Digest, String), Refused> {
        let envelope = parse_envelope(bytes)?;
        let (named, taken) = snapshot::named(&envelope, &self.documents)?;
        let then = self.signers.iter().rev().find(|(from, _)| *from <= named);
        let (_, signers) = then.ok_or(Refused::Snapshot)?;
        rules::agreed(signers, &[Side::Buyer], &envelope, taken, self.ring)?;
        Ok((envelope.digest(), format!("{named} documents, signed for the buyer")))
    }

    fn file(&mut self, part: Part, node: &Node) -> Option<&'a [u8]> {
        let (name, bytes) = self.files.get_key_value(&part.file(node.seq, node.kind()))?;
        self.used.insert(name);
        Some(bytes)
    }

    /// Reports a check and passes on what it found, nothing when it failed.
    fn check<T>(&mut self, what: String, result: Result<(T, String), Refused>) -> Option<T> {
        match result {
            Ok((found, said)) => {
                self.report.holds(what, said);
                Some(found)
            }
            Err(why) => {
                self.report.fails(what, format!("{}: {why}", why.code()));
                None
            }
        }
    }
}

fn disclosed(node: &Node, bytes: &[u8]) -> Result<String, Refused> {
    let disclosure: Disclosure = canonical::read(bytes)?;
    let (expected, found) = (node.clauses, disclosure.root());
    if found != expected {
        return Err(Refused::OtherClauses { expected, found });
    }
    let shown = disclosure.shown().count();
    Ok(format!("{shown} of {} clauses are shown", disclosure.clauses.len()))
}

fn shape(file: &str, why: &str) -> Refused {
    Refused::Shape(format!("`{file}`: {why}"))
}
