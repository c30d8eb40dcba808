//! A chain in memory, which only grows by documents that fit.

use envelope_evidence::dsse::Envelope;
use envelope_evidence::keyring::KeyRing;
use envelope_evidence::{Digest, Label};
use hpke::rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use super::difference::{Terms, difference};
use super::kind::Kind;
use super::node::{Amendment, Body, Commitment, Node, Paper, Standard};
use super::prose::Text;
use super::reader::ReaderKey;
use super::redline;
use super::refused::Refused;
use super::rules::{self, Standing};
use super::side_letter::{Sealed, SideLetter, seal};
use super::signers::Signers;

/// The documents of one contract, from its root to its head.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    documents: Vec<Document>,
    standing: Standing,
}

/// A document with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    id: Digest,
    node: Node,
    bytes: Vec<u8>,
    content: Content,
    signatures: Option<Envelope>,
}

/// What stands behind the digests of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Prose(Text),
    Amended { text: Text, redline: String },
    Sealed(Vec<u8>),
}

/// The digests by which the layers of a chain are cited: of the last document of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hashes {
    /// Of the terms of service.
    pub tos_hash: Option<Digest>,
    /// Of the base terms.
    pub base_terms_hash: Option<Digest>,
    /// Of the last schedule, which names the one before it.
    pub schedule_hash: Option<Digest>,
    /// Of the master agreement.
    pub msa_hash: Option<Digest>,
    /// Of the Paper.
    pub paper_content_hash: Option<Digest>,
    /// Of the snapshot taken at purchase.
    pub paper_snapshot_hash: Option<Digest>,
    /// Of the last amendment.
    pub amendment_hash: Option<Digest>,
    /// Of the last side letter.
    pub side_letter_hash: Option<Digest>,
}

impl Chain {
    /// An empty chain.
    pub fn new() -> Self {
        Self::default()
    }

    /// The documents in order.
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// The id of the newest document. It stands for the whole chain.
    pub const fn head(&self) -> Option<Digest> {
        self.standing.head()
    }

    /// The terms of the Paper as amended.
    pub const fn terms(&self) -> &Terms {
        self.standing.terms()
    }

    /// The prose of the Paper as amended.
    pub fn prose(&self) -> Option<&str> {
        self.standing.text().map(Text::prose)
    }

    /// Whose keys sign the next document.
    pub const fn signers(&self) -> Option<&Signers> {
        self.standing.signers()
    }

    /// The digests of the layers. That of the snapshot is [`super::Snapshot::digest`].
    pub fn hashes(&self) -> Hashes {
        Hashes::of(self.documents.iter().map(|document| (document.kind(), document.id)))
    }

    /// Draws up a document that stands above the Paper.
    pub fn standard(
        &self,
        body: fn(Standard) -> Body,
        standard: Standard,
        text: Text,
    ) -> Result<Document, Refused> {
        self.draw_up(body(standard), text.digest(), text.root(), Content::Prose(text))
    }

    /// Draws up the Paper.
    pub fn paper(&self, paper: Paper, text: Text) -> Result<Document, Refused> {
        self.draw_up(Body::Paper(paper), text.digest(), text.root(), Content::Prose(text))
    }

    /// Draws up the amendment that makes the Paper's terms `terms` and its whole prose `text`;
    /// `signers` where other keys sign from then on.
    pub fn amendment(
        &self,
        title: Label,
        terms: &Terms,
        text: Text,
        signers: Option<Signers>,
    ) -> Result<Document, Refused> {
        let before = self.last_kind();
        let old = self.standing.text();
        let old = old.ok_or(Refused::Order { kind: Kind::Amendment, before })?;
        let redline = redline::redline(old.prose(), text.prose());
        let body = Amendment {
            title,
            difference: difference(self.terms(), terms)?,
            redline: redline::digest(old, &text, redline.as_bytes()),
            signers,
        };
        let (prose, clauses) = (text.digest(), text.root());
        self.draw_up(Body::Amendment(body), prose, clauses, Content::Amended { text, redline })
    }

    /// Draws up a side letter for `readers`; see [`seal`] on `random`.
    pub fn side_letter(
        &self,
        letter: &SideLetter,
        readers: &[ReaderKey],
        random: &mut impl CryptoRng,
    ) -> Result<Document, Refused> {
        let sealed = seal(letter, readers, random)?.to_bytes()?;
        let body = Body::SideLetter(Commitment { commitment: letter.commitment()? });
        let (prose, clauses) = (Digest::of(&sealed), letter.text.root());
        self.draw_up(body, prose, clauses, Content::Sealed(sealed))
    }

    /// Adds a document, or refuses it and stays as it was.
    pub fn append(&mut self, document: Document, ring: &KeyRing) -> Result<(), Refused> {
        let mut standing = self.standing.clone();
        standing.link(&document.node, &document.bytes)?;
        if let Some(text) = document.text() {
            rules::text(&document.node, text)?;
        }
        standing.take_terms(&document.node)?;
        match (&document.node.body, &document.content) {
            (Body::Amendment(amendment), Content::Amended { text, redline }) => {
                standing.redline(amendment, text, redline.as_bytes())?;
            }
            (_, Content::Sealed(file)) => drop(Sealed::check(&document.node, file)?),
            (_, Content::Prose(_) | Content::Amended { .. }) => {}
        }
        standing.take_text(document.kind(), document.text().cloned());
        if document.kind().is_signed() {
            let envelope = document.signatures.as_ref().ok_or(Refused::Unsigned)?;
            standing.sign(&document.node, document.id, envelope, ring)?;
        }
        self.documents.push(document);
        self.standing = standing;
        Ok(())
    }

    pub(super) const fn seq(&self) -> u64 {
        self.standing.seq()
    }

    fn last_kind(&self) -> Option<Kind> {
        self.documents.last().map(Document::kind)
    }

    fn draw_up(
        &self,
        body: Body,
        prose: Digest,
        clauses: Digest,
        content: Content,
    ) -> Result<Document, Refused> {
        let (parent, seq) = (self.head(), self.standing.seq());
        let node = Node { parent, seq, body, prose, clauses };
        let bytes = node.to_bytes()?;
        Ok(Document::of(node, bytes, content, None))
    }
}

impl Document {
    pub(super) fn of(
        node: Node,
        bytes: Vec<u8>,
        content: Content,
        signatures: Option<Envelope>,
    ) -> Self {
        Self { id: Digest::of(&bytes), node, bytes, content, signatures }
    }

    /// The id: the digest of the node's bytes.
    pub const fn id(&self) -> Digest {
        self.id
    }

    /// The node.
    pub const fn node(&self) -> &Node {
        &self.node
    }

    /// The canonical bytes of the node.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What kind of document it is.
    pub const fn kind(&self) -> Kind {
        self.node.kind()
    }

    /// The place in the chain.
    pub const fn seq(&self) -> u64 {
        self.node.seq
    }

    /// The prose; nothing for a side letter, whose prose is sealed.
    pub const fn text(&self) -> Option<&Text> {
        match &self.content {
            Content::Prose(text) | Content::Amended { text, .. } => Some(text),
            Content::Sealed(_) => None,
        }
    }

    /// The rendered change of the prose, for an amendment.
    pub fn redline(&self) -> Option<&str> {
        match &self.content {
            Content::Amended { redline, .. } => Some(redline),
            Content::Prose(_) | Content::Sealed(_) => None,
        }
    }

    /// The encrypted letter, for a side letter.
    pub fn sealed(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Sealed(file) => Some(file),
            Content::Prose(_) | Content::Amended { .. } => None,
        }
    }

    /// The signatures.
    pub const fn signatures(&self) -> Option<&Envelope> {
        self.signatures.as_ref()
    }

    /// The same document with its signatures, which [`super::sign`] begins.
    #[must_use]
    pub fn signed(mut self, signatures: Envelope) -> Self {
        self.signatures = Some(signatures);
        self
    }
}

impl Hashes {
    pub(super) fn of(documents: impl IntoIterator<Item = (Kind, Digest)>) -> Self {
        let mut hashes = Self::default();
        for (kind, id) in documents {
            let slot = match kind {
                Kind::Tos => &mut hashes.tos_hash,
                Kind::BaseTerms => &mut hashes.base_terms_hash,
                Kind::Schedule => &mut hashes.schedule_hash,
                Kind::Msa => &mut hashes.msa_hash,
                Kind::Paper => &mut hashes.paper_content_hash,
                Kind::Amendment => &mut hashes.amendment_hash,
                Kind::SideLetter => &mut hashes.side_letter_hash,
            };
            *slot = Some(id);
        }
        hashes
    }
}

/// The name of a document in files and snapshots: `0003-msa`.
pub(super) fn name(seq: u64, kind: Kind) -> String {
    format!("{seq:04}-{kind}")
}
