//! Pictures: files of the workspace, read under the run's grant like any other.

use bytes::{Bytes, BytesMut};
use envelope_evidence::Digest;
use envelope_rules::Path;
use envelope_rules::grant::Access;
use envelope_rules::model::{Ask, Part};

use super::Answered;
use crate::airlock::Airlock;
use crate::bindings::envelope::host::types;
use crate::gate::Answer;
use crate::inside::Inside;
use crate::model::{IMAGE_BYTES_MAX, IMAGES_MAX, Images};
use crate::request::Request;
use crate::wasi::files::{Done, Failed, MOVE_BYTES_MAX, answer, done};
use crate::workspace::{FsError, NodeId, resolve};

impl Airlock {
    /// Reads the pictures of `ask`, which lie at `paths`, and puts their digests in.
    pub(super) async fn pictures(&mut self, ask: &mut Ask, paths: &[String]) -> Answered<Images> {
        let mut images = Images::new();
        if paths.len() > IMAGES_MAX {
            let what = format!("{} pictures: at most {IMAGES_MAX}", paths.len());
            return Ok(Err(types::Fault::Invalid(what)));
        }
        let mut paths = paths.iter();
        for part in ask.messages.iter_mut().flat_map(|message| &mut message.parts) {
            let Part::Image(image) = part else { continue };
            let path = paths.next().map_or("", String::as_str);
            let bytes = match self.picture(path).await {
                Ok(bytes) => bytes,
                Err(Failed::Over(stop)) => return Err(stop),
                Err(Failed::Denied(denial)) => {
                    return Ok(Err(types::Fault::Denied(super::super::told(&denial))));
                }
                Err(Failed::Fs(error)) => {
                    let what = format!("the picture `{path}` cannot be read: {}", error.name());
                    return Ok(Err(types::Fault::Invalid(what)));
                }
                // A file is not read over the network.
                Err(Failed::Net(failure)) => {
                    return Ok(Err(types::Fault::Unavailable(failure.to_string())));
                }
            };
            image.digest = Digest::of(&bytes);
            images.insert(image.digest, bytes);
        }
        Ok(Ok(images))
    }

    async fn picture(&mut self, text: &str) -> Done<Bytes> {
        let path = resolve(&Path::root(), text)?.path;
        let node = self.find(&path).await?;
        let mut whole = BytesMut::new();
        loop {
            let at = u64::try_from(whole.len()).unwrap_or(u64::MAX);
            // One byte more than a picture may have shows that it is too large.
            let most = MOVE_BYTES_MAX.min((IMAGE_BYTES_MAX + 1).saturating_sub(at));
            if most == 0 {
                return Err(FsError::FileTooLarge.into());
            }
            let bytes = self.read_file("read", &path, node, at, most).await?;
            if bytes.is_empty() {
                return Ok(whole.freeze());
            }
            whole.extend_from_slice(&bytes);
        }
    }

    async fn find(&mut self, path: &Path) -> Done<NodeId> {
        let request = Request::file("open", Access::Read, path, &"picture");
        let open = |inside: &mut Inside, _| {
            let outcome = inside.workspace.lookup(path);
            let answer = answer(&outcome, |_| Answer::computed(b"picture"));
            (outcome, answer)
        };
        done(self.gate.inner(request, open).await)
    }
}
