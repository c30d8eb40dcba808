//! A chain as files, for somebody who trusts nothing but a few keys.
//!
//! | File | Content |
//! |---|---|
//! | `nodes/0003-msa.json` | the node; its SHA-256 is the id |
//! | `prose/0003-msa.md` and `.salt` | the prose, and its salt in hexadecimal digits |
//! | `clauses/0003-msa.json` | instead of the prose: some clauses, and the leaves of the others |
//! | `redlines/0005-amendment.txt` | the change of the prose |
//! | `sealed/0006-side-letter.json` | the letter, encrypted to its readers |
//! | `signatures/0004-paper.dsse.json` | the parties' signatures |
//! | `keys/<id>.pem` | the public keys that signed |
//! | `snapshot.dsse.json` | the snapshot taken at purchase |

use std::collections::BTreeMap;

use envelope_evidence::canonical;
use envelope_evidence::dsse::Envelope;
use envelope_evidence::key::{PublicKey, Purpose, Window};
use envelope_evidence::keyring::{KeyRecord, KeyRing};

use super::chain::{Chain, Content, Document, name};
use super::kind::Kind;
use super::node::Node;
use super::prose::{Salt, Text};
use super::refused::Refused;

/// Files by name, with `/` between folder and file.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The snapshot taken at purchase.
pub const SNAPSHOT_FILE: &str = "snapshot.dsse.json";

/// What a file of a document holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The node.
    Node,
    /// The prose.
    Prose,
    /// The salt of the prose.
    Salt,
    /// Some of its clauses.
    Clauses,
    /// The change of the prose.
    Redline,
    /// The encrypted letter.
    Sealed,
    /// The signatures.
    Signatures,
}

impl Part {
    /// The name of the file that holds this part of document `seq`.
    pub fn file(self, seq: u64, kind: Kind) -> String {
        let (folder, end) = match self {
            Self::Node => (NODES, ".json"),
            Self::Prose => ("prose/", ".md"),
            Self::Salt => ("prose/", ".salt"),
            Self::Clauses => ("clauses/", ".json"),
            Self::Redline => ("redlines/", ".txt"),
            Self::Sealed => ("sealed/", ".json"),
            Self::Signatures => ("signatures/", ".dsse.json"),
        };
        format!("{folder}{}{end}", name(seq, kind))
    }
}

/// The folder of the nodes.
pub(super) const NODES: &str = "nodes/";

/// The folder of the keys.
pub(super) const KEYS: &str = "keys/";

/// The file of a key.
pub(super) fn key_file(id: &str) -> String {
    format!("{KEYS}{id}.pem")
}

impl Chain {
    /// Every file of this chain, with the public keys that signed it and the snapshot.
    pub fn export(
        &self,
        keys: &[PublicKey],
        snapshot: Option<&Envelope>,
    ) -> Result<Files, canonical::Refused> {
        let mut files = Files::new();
        for document in self.documents() {
            document.export(&mut files)?;
        }
        for key in keys {
            files.insert(key_file(&key.id()), key.to_pem().into_bytes());
        }
        if let Some(snapshot) = snapshot {
            files.insert(SNAPSHOT_FILE.to_owned(), snapshot.to_bytes()?);
        }
        Ok(files)
    }

    /// Reads the chain in `files`, if all of it is there and every document fits: a chain with
    /// redacted or withheld parts can be verified, but nobody can go on from it.
    pub fn import(files: &Files, ring: &KeyRing) -> Result<Self, Refused> {
        match Self::resume(files, ring)? {
            (chain, None) => Ok(chain),
            (mut chain, Some(document)) => chain.append(document, ring).map(|()| chain),
        }
    }

    /// Reads the chain in `files` as far as both parties signed it, and the newest document apart
    /// when not both signed that yet.
    pub fn resume(files: &Files, ring: &KeyRing) -> Result<(Self, Option<Document>), Refused> {
        let mut chain = Self::new();
        let nodes = files.range(NODES.to_owned()..);
        let mut nodes = nodes.take_while(|(file, _)| file.starts_with(NODES)).peekable();
        while let Some((file, _)) = nodes.next() {
            let seq = chain.seq();
            let kind = Kind::ALL.into_iter().find(|kind| *file == Part::Node.file(seq, *kind));
            let stray = || Refused::Shape(format!("`{file}` is not document {seq}"));
            let document = Document::read(files, seq, kind.ok_or_else(stray)?)?;
            match chain.append(document.clone(), ring) {
                Ok(()) => {}
                Err(Refused::Unsigned | Refused::OneSided(_)) if nodes.peek().is_none() => {
                    return Ok((chain, Some(document)));
                }
                Err(refused) => return Err(refused),
            }
        }
        Ok((chain, None))
    }

    /// Takes out of `files` the clauses for which `hidden` says so, and leaves their leaves. The
    /// redlines that would tell them, from and to a text with hidden clauses, go too. A clause that
    /// an amendment carries on has to be hidden there as well; terms cannot be hidden.
    pub fn redact(
        &self,
        files: &mut Files,
        hidden: impl Fn(&Document, &str) -> bool,
    ) -> Result<(), canonical::Refused> {
        let mut before_hidden = false;
        for document in self.documents() {
            let Some(text) = document.text() else { continue };
            let file = |part: Part| part.file(document.seq(), document.kind());
            let hides = text.clauses().any(|clause| hidden(document, &clause.clause));
            if hides {
                let shown = text.redact(|clause| hidden(document, clause));
                files.insert(file(Part::Clauses), canonical::of(&shown)?);
                files.remove(&file(Part::Prose));
                files.remove(&file(Part::Salt));
            }
            if hides || before_hidden {
                files.remove(&file(Part::Redline));
            }
            before_hidden = hides;
        }
        Ok(())
    }
}

impl Document {
    /// Reads a document with all that belongs to it. What the files say is not checked here but
    /// when the document joins a chain.
    pub fn read(files: &Files, seq: u64, kind: Kind) -> Result<Self, Refused> {
        let part = |part: Part| files.get(&part.file(seq, kind)).map(Vec::as_slice);
        let needed = |wanted: Part| {
            let missing = || Refused::Shape(format!("`{}` is missing", wanted.file(seq, kind)));
            part(wanted).ok_or_else(missing)
        };
        let node = needed(Part::Node)?;
        let content = match kind {
            Kind::SideLetter => Content::Sealed(needed(Part::Sealed)?.to_vec()),
            Kind::Amendment => Content::Amended {
                text: read_text(needed(Part::Prose)?, needed(Part::Salt)?)?,
                redline: String::from_utf8(needed(Part::Redline)?.to_vec())
                    .map_err(|_| Refused::Redline)?,
            },
            Kind::Tos | Kind::BaseTerms | Kind::Schedule | Kind::Msa | Kind::Paper => {
                Content::Prose(read_text(needed(Part::Prose)?, needed(Part::Salt)?)?)
            }
        };
        let signatures = part(Part::Signatures).map(parse_envelope).transpose()?;
        let document = Self::of(Node::parse(node)?, node.to_vec(), content, signatures);
        if document.kind() == kind && document.seq() == seq {
            Ok(document)
        } else {
            Err(Refused::Shape("the node is another than its file says".to_owned()))
        }
    }

    /// Adds its files to `files`.
    pub fn export(&self, files: &mut Files) -> Result<(), canonical::Refused> {
        let mut add = |part: Part, bytes: Vec<u8>| {
            files.insert(part.file(self.seq(), self.kind()), bytes);
        };
        add(Part::Node, self.bytes().to_vec());
        if let Some(text) = self.text() {
            add(Part::Prose, text.prose().as_bytes().to_vec());
            add(Part::Salt, format!("{}\n", text.salt().hex()).into_bytes());
        }
        if let Some(redline) = self.redline() {
            add(Part::Redline, redline.as_bytes().to_vec());
        }
        if let Some(sealed) = self.sealed() {
            add(Part::Sealed, sealed.to_vec());
        }
        if let Some(signatures) = self.signatures() {
            add(Part::Signatures, signatures.to_bytes()?);
        }
        Ok(())
    }
}

/// The public keys that lie in `files`. They show who signed, and are no reason to trust anybody:
/// with them a chain is read on, and verified with keys that the verifier knows from elsewhere.
pub fn own_keys(files: &Files) -> Result<KeyRing, Refused> {
    let shape =
        |file: &str, why: &dyn std::fmt::Display| Refused::Shape(format!("`{file}`: {why}"));
    let mut keys = Vec::new();
    let stored = files.range(KEYS.to_owned()..);
    for (file, bytes) in stored.take_while(|(file, _)| file.starts_with(KEYS)) {
        let text = std::str::from_utf8(bytes).map_err(|why| shape(file, &why))?;
        let key = PublicKey::from_pem(text).map_err(|why| shape(file, &why))?;
        keys.push(KeyRecord { key, purpose: Purpose::Document, window: Window::ALWAYS });
    }
    KeyRing::new(keys).map_err(|why| shape(KEYS, &why))
}

pub(super) fn parse_envelope(bytes: &[u8]) -> Result<Envelope, Refused> {
    Envelope::parse(bytes).map_err(|why| Refused::Shape(why.to_string()))
}

pub(super) fn read_text(prose: &[u8], salt: &[u8]) -> Result<Text, Refused> {
    let salt = std::str::from_utf8(salt).ok().and_then(|salt| salt.strip_suffix('\n'));
    let salt = salt.and_then(Salt::from_hex);
    let salt = salt.ok_or_else(|| Refused::Shape("the salt is not 64 digits".to_owned()))?;
    Ok(Text::read(prose, salt)?)
}
