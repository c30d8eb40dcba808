//! Where the bytes of blobs lie: what is said about it on the command line.
#![expect(
    clippy::disallowed_methods,
    reason = "a bucket is asked for with what the environment says, as everywhere"
)]

use std::path::Path;
use std::sync::Arc;

use envelope_store::ObjectStore;
use envelope_store::blobs::{self, S3};

use crate::answer::Trouble;
use crate::disk;

/// What a bucket begins with.
const BUCKET: &str = "s3://";

/// A folder, or a bucket: `s3://<bucket>/<prefix>`. The folder is made if there is none and it is
/// to be `made`.
pub(crate) fn at(place: &Path, made: bool) -> Result<Arc<dyn ObjectStore>, Trouble> {
    match place.to_str().and_then(|text| text.strip_prefix(BUCKET)) {
        Some(bucket) => in_bucket(bucket),
        None => in_folder(place, made),
    }
}

fn in_folder(path: &Path, made: bool) -> Result<Arc<dyn ObjectStore>, Trouble> {
    let hint = "give the folder in which the blobs lie, or `s3://<bucket>/<prefix>`";
    if made {
        disk::make_folder(path).map_err(|why| Trouble::usage(why, hint))?;
    }
    let named = |why| Trouble::usage(format!("`{}`: {why}", path.display()), hint);
    blobs::folder(path).map_err(named)
}

fn in_bucket(text: &str) -> Result<Arc<dyn ObjectStore>, Trouble> {
    let (bucket, prefix) = text.split_once('/').unwrap_or((text, ""));
    if bucket.is_empty() {
        let what = format!("`{BUCKET}{text}` names no bucket");
        return Err(Trouble::usage(what, "write `s3://<bucket>/<prefix>`"));
    }
    let at = S3 {
        endpoint: said(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]),
        region: needed(&["AWS_REGION", "AWS_DEFAULT_REGION"])?,
        bucket: bucket.to_owned(),
        prefix: prefix.trim_matches('/').to_owned(),
        access_key: needed(&["AWS_ACCESS_KEY_ID"])?,
        secret_key: needed(&["AWS_SECRET_ACCESS_KEY"])?,
        token: said(&["AWS_SESSION_TOKEN"]),
    };
    let hint = "see the variables `AWS_…`";
    blobs::s3(at).map_err(|why| Trouble::usage(format!("`{BUCKET}{text}`: {why}"), hint))
}

fn needed(variables: &[&str]) -> Result<String, Trouble> {
    let missing = || {
        let what =
            format!("a bucket is asked for with `{}`, which is not set", variables.join("` or `"));
        Trouble::usage(what, "set it, or give a folder")
    };
    said(variables).ok_or_else(missing)
}

/// The first of them that says something.
fn said(variables: &[&str]) -> Option<String> {
    let mut said = variables.iter().filter_map(|name| std::env::var(name).ok());
    said.find(|value| !value.is_empty())
}
