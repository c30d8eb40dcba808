//! Objects in a folder of this machine: a file for each, whole or not there at all, and there after
//! a power cut.
//!
//! Every file is opened below the handle of the folder. A link that somebody plants in it leads to
//! no file outside.

use std::fmt;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, OpenOptions};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use object_store::path::Path as Key;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result,
};

/// Files that may be in the making beside one of the same name, those of crashes included.
const NEW_MAX: usize = 1000;

/// A folder. It can what blobs need: put, get, look at and delete.
#[derive(Debug, Clone)]
pub struct Folder(Arc<Dir>);

impl Folder {
    /// A folder that exists.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        Dir::open_ambient_dir(path, ambient_authority()).map(|dir| Self(Arc::new(dir)))
    }

    /// Does something with the disk, on a thread that may wait for it.
    async fn at<T: Send + 'static>(
        &self,
        location: &Key,
        act: impl FnOnce(&Dir, &str) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (dir, path) = (Arc::clone(&self.0), location.to_string());
        let done =
            tokio::task::spawn_blocking(move || act(&dir, &path).map_err(|why| told(path, why)));
        done.await.map_err(|why| generic(why.into()))?
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a folder")
    }
}

/// What went wrong with a file.
fn told(path: String, why: io::Error) -> Error {
    let is = |kind| why.kind() == kind;
    let (missing, taken) = (is(ErrorKind::NotFound), is(ErrorKind::AlreadyExists));
    let forbidden = is(ErrorKind::PermissionDenied);
    let source = Box::new(why);
    if missing {
        Error::NotFound { path, source }
    } else if taken {
        Error::AlreadyExists { path, source }
    } else if forbidden {
        Error::PermissionDenied { path, source }
    } else {
        generic(source)
    }
}

const fn generic(source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Generic { store: "a folder", source }
}

fn never<T>(what: &str) -> Result<T> {
    let implementer = "a folder of blobs".to_owned();
    Err(Error::NotImplemented { operation: what.to_owned(), implementer })
}

/// Writes a new file and gives it its name, so that a power cut keeps both.
fn write(dir: &Dir, path: &str, bytes: &PutPayload, mode: &PutMode) -> io::Result<()> {
    let above = path.rsplit_once('/').map_or(".", |(above, _)| above);
    make(dir, above)?;
    let (name, mut file) = fresh(dir, path)?;
    let written = bytes.iter().try_for_each(|part| file.write_all(part));
    let kept = written.and_then(|()| file.sync_all()).and_then(|()| match mode {
        PutMode::Overwrite => dir.rename(&name, dir, path),
        // A second name is given only where none is.
        PutMode::Create => dir.hard_link(&name, dir, path),
        PutMode::Update(_) => Err(ErrorKind::Unsupported.into()),
    });
    if kept.is_err() || matches!(mode, PutMode::Create) {
        dir.remove_file(&name).ok();
    }
    kept?;
    // The new name lasts when its folder does.
    dir.open(above)?.sync_all()
}

/// Makes a folder and those above it, each to last.
fn make(dir: &Dir, path: &str) -> io::Result<()> {
    if dir.is_dir(path) {
        return Ok(());
    }
    let above = path.rsplit_once('/').map_or(".", |(above, _)| above);
    if path != "." {
        make(dir, above)?;
    }
    match dir.create_dir(path) {
        Err(why) if why.kind() != ErrorKind::AlreadyExists => Err(why),
        Ok(()) | Err(_) => dir.open(above)?.sync_all(),
    }
}

/// A file in the making, that nobody else has.
fn fresh(dir: &Dir, path: &str) -> io::Result<(String, File)> {
    let mut new = OpenOptions::new();
    new.write(true).create_new(true);
    for number in 0..NEW_MAX {
        let name = format!("{path}.{number}.new");
        match dir.open_with(&name, &new) {
            Err(why) if why.kind() == ErrorKind::AlreadyExists => {}
            opened => return opened.map(|file| (name, file)),
        }
    }
    Err(io::Error::other(format!("{NEW_MAX} files `{path}.*.new` are in the making or left over")))
}

/// A file's size, and its bytes unless only the size is wanted.
fn read(dir: &Dir, path: &str, only_size: bool) -> io::Result<(u64, Bytes)> {
    let file = dir.open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    if only_size || meta.len() > super::BLOB_BYTES_MAX {
        return Ok((meta.len(), Bytes::new()));
    }
    let mut bytes = Vec::new();
    file.take(super::BLOB_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok((meta.len(), bytes.into()))
}

#[async_trait]
impl ObjectStore for Folder {
    async fn put_opts(
        &self,
        location: &Key,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let act = move |dir: &Dir, path: &str| write(dir, path, &payload, &opts.mode);
        self.at(location, act).await?;
        Ok(PutResult { e_tag: None, version: None, extensions: opts.extensions })
    }

    async fn get_opts(&self, location: &Key, options: GetOptions) -> Result<GetResult> {
        let only_size = options.head;
        if options.range.is_some() {
            return never("parts");
        }
        let act = move |dir: &Dir, path: &str| read(dir, path, only_size);
        let (size, bytes) = self.at(location, act).await?;
        let meta = ObjectMeta {
            location: location.clone(),
            last_modified: Default::default(),
            size,
            e_tag: None,
            version: None,
        };
        options.check_preconditions(&meta)?;
        let payload = GetResultPayload::Stream(stream::iter([Ok(bytes)]).boxed());
        let (attributes, extensions) = Default::default();
        Ok(GetResult { payload, meta, range: 0..size, attributes, extensions })
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Key>>,
    ) -> BoxStream<'static, Result<Key>> {
        let folder = self.clone();
        let delete = move |location: Result<Key>| {
            let folder = folder.clone();
            async move {
                let location = location?;
                folder.at(&location, |dir, path| dir.remove_file(path)).await?;
                Ok(location)
            }
        };
        locations.then(delete).boxed()
    }

    async fn put_multipart_opts(
        &self,
        _: &Key,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        never("parts")
    }

    fn list(&self, _: Option<&Key>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::iter([never("lists")]).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Key>) -> Result<ListResult> {
        never("lists")
    }

    async fn copy_opts(&self, _: &Key, _: &Key, _: CopyOptions) -> Result<()> {
        never("copies")
    }
}
