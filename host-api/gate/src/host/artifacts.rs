//! `envelope:host/artifacts`: named results beside the files.

use bytes::Bytes;
use envelope_evidence::journal::{Content, FileTouch};
use envelope_evidence::{Digest, PathText};
use envelope_rules::guard::Capability;

use crate::airlock::Airlock;
use crate::bindings::envelope::host::{artifacts, types};
use crate::gate::Answer;
use crate::inside::Artifact;
use crate::request::Request;

/// Artifacts of one run: what a person looks through.
pub const ARTIFACTS_MAX: usize = 256;

/// Bytes of one artifact: a large plot or a table. What is larger is a file.
pub const ARTIFACT_BYTES_MAX: usize = 16 << 20;

/// Characters of a name.
const NAME_CHARS_MAX: usize = 128;

impl artifacts::Host for Airlock {
    async fn put(
        &mut self,
        name: String,
        media_type: String,
        bytes: Vec<u8>,
    ) -> wasmtime::Result<Result<artifacts::Kept, types::Fault>> {
        if let Err(what) = self.check(&name, &media_type, bytes.len()) {
            return Ok(Err(types::Fault::Invalid(what)));
        }
        let digest = Digest::of(&bytes);
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let body = (&name, &media_type, digest);
        let request = Request::plain(Capability::Artifacts, "put", name.clone(), &body);
        let touch = FileTouch { path: PathText::cut(&format!("artifacts/{name}")), digest, size };
        let passed = self
            .gate
            .inner(request.moving(size), |inside, _| {
                inside.artifacts.insert(name, Artifact { media_type, bytes: Bytes::from(bytes) });
                let answer = Answer::of(Content::named(digest, size)).moved(size);
                ((), Answer { file: Some(touch), ..answer })
            })
            .await;
        let kept = artifacts::Kept { digest: digest.to_string(), size };
        Ok(super::answered(passed)?.map(|()| kept))
    }
}

impl Airlock {
    fn check(&mut self, name: &str, media_type: &str, len: usize) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let named = !name.is_empty() && name.len() <= NAME_CHARS_MAX && name.chars().all(plain);
        if !named || name.starts_with('.') {
            return Err(format!(
                "an artifact is named by 1 to {NAME_CHARS_MAX} letters, digits, `.`, `-` and `_`, \
                 not beginning with `.`"
            ));
        }
        let graphic = |c: char| c.is_ascii_graphic() || c == ' ';
        if media_type.len() > NAME_CHARS_MAX || !media_type.chars().all(graphic) {
            return Err("a media type is a short text such as `image/svg+xml`".to_owned());
        }
        if len > ARTIFACT_BYTES_MAX {
            return Err(format!(
                "an artifact of {len} bytes is larger than {ARTIFACT_BYTES_MAX}: write a file"
            ));
        }
        let kept = &self.gate.inside().artifacts;
        if !kept.contains_key(name) && kept.len() >= ARTIFACTS_MAX {
            return Err(format!("a run keeps at most {ARTIFACTS_MAX} artifacts"));
        }
        Ok(())
    }
}
