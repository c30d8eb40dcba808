//! Looking through what a call sends, before it is judged.

use std::sync::Arc;

use envelope_evidence::Digest;
use envelope_rules::content::{Both, Found, Part, Scanner};
use envelope_rules::grant::Standing;
use envelope_rules::model::{Ask, Part as Said, ToolCall};

use super::{Gate, Wish};
use crate::model::Images;

/// What looks through something that leaves piece by piece.
pub(crate) struct Lookout(Option<Box<Scanner<'static>>>);

impl Lookout {
    /// Bytes at the end of what was looked through that may be the beginning of a secret.
    pub(crate) fn open(&self) -> usize {
        self.0.as_ref().map_or(0, |scanner| scanner.open())
    }

    /// What was found so far.
    pub(crate) fn found(&self) -> Found {
        self.0.as_ref().map_or(Found::NOTHING, |scanner| scanner.found())
    }
}

/// Bytes that are looked through at once: other runs have their turn in between.
const PIECE_BYTES: usize = 64 << 10;

impl Gate {
    /// What is found in `parts`, each a piece of what leaves. A replay sends nothing, and looks for
    /// nothing: what was denied is in its record.
    pub(crate) async fn look_through(&mut self, parts: Vec<(Part, &[u8])>) -> Found {
        self.charge_look(parts.iter().map(|(_, bytes)| bytes.len()).fold(0, usize::saturating_add));
        if self.parts.replay {
            return Found::NOTHING;
        }
        let world = Arc::clone(&self.parts.world);
        let edge = world.network().map(|network| &**network.secrets());
        let secrets = std::iter::once(&self.parts.secrets).chain(edge);
        let mut scanner = Scanner::new(secrets, &self.content());
        for (part, bytes) in parts {
            for piece in bytes.chunks(PIECE_BYTES) {
                scanner.feed(part, piece);
                if bytes.len() > PIECE_BYTES {
                    tokio::task::yield_now().await;
                }
            }
            scanner.end(part);
        }
        scanner.found()
    }

    /// Looks through what leaves over a while. There is none where nothing leaves: on a replay.
    pub(crate) fn lookout(&self) -> Lookout {
        if self.parts.replay {
            return Lookout(None);
        }
        let world = Arc::clone(&self.parts.world);
        let edge = world.network().map(|network| Arc::clone(network.secrets()));
        let own = Arc::new(self.parts.secrets.clone());
        let scanner = Scanner::lasting(std::iter::once(own).chain(edge), &self.content());
        Lookout(Some(Box::new(scanner)))
    }

    /// Looks through `bytes` more of `part`, and whether it is `over`.
    pub(crate) fn look_on(
        &mut self,
        lookout: &mut Lookout,
        (part, bytes): (Part, &[u8]),
        over: bool,
    ) {
        self.charge_look(bytes.len());
        let Some(scanner) = &mut lookout.0 else { return };
        scanner.feed(part, bytes);
        if over {
            scanner.end(part);
        }
    }

    /// A look costs where the warrant says what must not leave.
    fn charge_look(&mut self, bytes: usize) {
        if !self.warrant().document().content.is_empty() {
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            self.charge(bytes.saturating_mul(crate::cost::LOOK));
        }
    }

    /// What is found in what a model is to be asked.
    pub(super) async fn look_through_wish(&mut self, wish: &Wish<'_>) -> Found {
        match wish {
            Wish::Answer { ask, images, .. } => self.look_through(parts(ask, images)).await,
            Wish::Vectors(texts) => {
                let numbered = (1..).zip(*texts);
                let texts = numbered.map(|(at, text)| (Part::Text(at), text.as_bytes()));
                self.look_through(texts.collect()).await
            }
        }
    }

    /// What a human would have to be asked about, where nothing denies it.
    pub(crate) fn asks_about(&self, found: &Found) -> Option<String> {
        found.question(&self.content())
    }

    /// The limits of the network, where there is one.
    pub(crate) fn network_limits(&self) -> Option<crate::net::Limits> {
        self.parts.world.network().map(|network| *network.limits())
    }

    /// What must not leave.
    pub(super) fn content(&self) -> Both<'_> {
        self.authority(Standing { bound_run: None, revoked: false }).content()
    }
}

/// Everything of a request that a model is sent.
fn parts<'a>(ask: &'a Ask, images: &'a Images) -> Vec<(Part, &'a [u8])> {
    let mut parts = Vec::new();
    for (at, message) in (1..).zip(&ask.messages) {
        for said in &message.parts {
            let texts = match said {
                Said::Text(text) => [Some(text.as_bytes()), None, None],
                Said::Image(image) => [image_of(image.digest, images), None, None],
                Said::Call(ToolCall { id, name, arguments }) => {
                    [id, name, arguments].map(|text| Some(text.as_bytes()))
                }
                Said::Answer { id, text } => [Some(id.as_bytes()), Some(text.as_bytes()), None],
            };
            parts.extend(texts.into_iter().flatten().map(|bytes| (Part::Message(at), bytes)));
        }
    }
    let tools = ask.tools.iter();
    let tools = tools.flat_map(|tool| [&tool.name, &tool.description, &tool.parameters]);
    let frame = tools.chain(&ask.schema).chain(&ask.sampling.stop);
    parts.extend(frame.map(|text| (Part::Frame, text.as_bytes())));
    parts
}

fn image_of(digest: Digest, images: &Images) -> Option<&[u8]> {
    images.get(&digest).map(|bytes| &**bytes)
}
