//! The methods of `descriptor`, as WASI lists them.

use envelope_rules::Path;
use envelope_rules::grant::Access;
use wasmtime::component::Resource;
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream};

use crate::airlock::Airlock;
use crate::bindings::wasi::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, MetadataHashValue,
    NewTimestamp, OpenFlags, PathFlags,
};
use crate::gate::Answer;
use crate::inside::Inside;
use crate::request::Request;
use crate::wasi::files::{Done, Failed, MOVE_BYTES_MAX, answer, coded, done};
use crate::wasi::filesystem::{Descriptor, Listing, links, stat};
use crate::wasi::streams::Stream;
use crate::workspace::{Ending, FsError, NodeId, NodeKind, Resolved};

type Coded<T> = wasmtime::Result<Result<T, ErrorCode>>;
type Handle = Resource<Descriptor>;

impl types::HostDescriptor for Airlock {
    async fn read_via_stream(&mut self, fd: Handle, at: u64) -> Coded<Resource<DynInputStream>> {
        match coded(self.file(&fd).and_then(|file| readable(&file).map(|()| file)))? {
            Ok(Descriptor { path, node, .. }) => {
                Ok(Ok(self.input(Stream::File { path, node, at })?))
            }
            Err(code) => Ok(Err(code)),
        }
    }

    async fn write_via_stream(&mut self, fd: Handle, at: u64) -> Coded<Resource<DynOutputStream>> {
        match coded(self.file(&fd).and_then(|file| writable(&file).map(|()| file)))? {
            Ok(Descriptor { path, node, .. }) => {
                Ok(Ok(self.output(Stream::File { path, node, at })?))
            }
            Err(code) => Ok(Err(code)),
        }
    }

    async fn append_via_stream(&mut self, fd: Handle) -> Coded<Resource<DynOutputStream>> {
        match coded(self.file(&fd).and_then(|file| writable(&file).map(|()| file)))? {
            Ok(Descriptor { path, node, .. }) => {
                Ok(Ok(self.output(Stream::Append { path, node })?))
            }
            Err(code) => Ok(Err(code)),
        }
    }

    async fn advise(&mut self, fd: Handle, _: u64, _: u64, _: Advice) -> Coded<()> {
        let advised = self.descriptor(&fd).and_then(|it| match it.folder {
            // Advice is on bytes, and a folder has none.
            true => Err(FsError::BadDescriptor.into()),
            false => Ok(()),
        });
        coded(advised)
    }

    async fn sync_data(&mut self, fd: Handle) -> Coded<()> {
        // A run commits at its end; before, there is nothing that could be made durable.
        coded(self.descriptor(&fd).map(drop))
    }

    async fn sync(&mut self, fd: Handle) -> Coded<()> {
        coded(self.descriptor(&fd).map(drop))
    }

    async fn get_flags(&mut self, fd: Handle) -> Coded<DescriptorFlags> {
        coded(self.descriptor(&fd).map(|descriptor| descriptor.flags))
    }

    async fn get_type(&mut self, fd: Handle) -> Coded<DescriptorType> {
        let kind = |it: Descriptor| if it.folder { NodeKind::Folder } else { NodeKind::File };
        coded(self.descriptor(&fd).map(kind).map(stat::kind))
    }

    async fn set_size(&mut self, fd: Handle, size: u64) -> Coded<()> {
        let resized = self.resize(&fd, size).await;
        coded(resized)
    }

    async fn set_times(&mut self, fd: Handle, a: NewTimestamp, m: NewTimestamp) -> Coded<()> {
        let done = match self.descriptor(&fd) {
            Ok(Descriptor { path, node, .. }) => self.touch(&path, move |_| Ok(node), [a, m]).await,
            Err(failed) => Err(failed),
        };
        coded(done)
    }

    async fn read(&mut self, fd: Handle, len: u64, offset: u64) -> Coded<(Vec<u8>, bool)> {
        let read = self.read_at(&fd, len, offset).await;
        coded(read)
    }

    async fn write(&mut self, fd: Handle, bytes: Vec<u8>, offset: u64) -> Coded<u64> {
        let written = self.write_at(&fd, &bytes, offset).await;
        coded(written)
    }

    async fn read_directory(&mut self, fd: Handle) -> Coded<Resource<Listing>> {
        let listed = self.list(&fd).await;
        match coded(listed)? {
            Ok(listing) => Ok(Ok(self.table.push(listing)?)),
            Err(code) => Ok(Err(code)),
        }
    }

    async fn create_directory_at(&mut self, fd: Handle, path: String) -> Coded<()> {
        let made = self.make_folder(&fd, &path).await;
        coded(made)
    }

    async fn stat(&mut self, fd: Handle) -> Coded<DescriptorStat> {
        let found = match self.descriptor(&fd) {
            Ok(Descriptor { path, node, .. }) => self.stat_node(&path, node).await,
            Err(failed) => Err(failed),
        };
        coded(found.map(|found| stat::told(&found)))
    }

    async fn stat_at(&mut self, fd: Handle, _: PathFlags, path: String) -> Coded<DescriptorStat> {
        let found = match self.resolve(&fd, &path) {
            Ok(at) => self.stat_path(&at).await,
            Err(failed) => Err(failed),
        };
        coded(found.map(|found| stat::told(&found)))
    }

    async fn set_times_at(
        &mut self,
        fd: Handle,
        _: PathFlags,
        path: String,
        a: NewTimestamp,
        m: NewTimestamp,
    ) -> Coded<()> {
        let done = match self.resolve(&fd, &path) {
            Ok(at) => {
                let find = |inside: &Inside| stat::find(&inside.workspace, &at);
                self.touch(&at.path, find, [a, m]).await
            }
            Err(failed) => Err(failed),
        };
        coded(done)
    }

    async fn link_at(
        &mut self,
        fd: Handle,
        _: PathFlags,
        old: String,
        new: Handle,
        to: String,
    ) -> Coded<()> {
        let refused = self.no_link((&fd, &old), (&new, &to)).await;
        coded(refused)
    }

    async fn open_at(
        &mut self,
        fd: Handle,
        _: PathFlags,
        path: String,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> Coded<Handle> {
        self.open(&fd, &path, open, flags).await
    }

    async fn readlink_at(&mut self, fd: Handle, path: String) -> Coded<String> {
        // Nothing is a link: `invalid` is what the standard says of reading anything else as one.
        let found = match self.resolve(&fd, &path) {
            Ok(at) => self.stat_path(&at).await,
            Err(failed) => Err(failed),
        };
        coded(found.and(Err(FsError::Invalid.into())))
    }

    async fn remove_directory_at(&mut self, fd: Handle, path: String) -> Coded<()> {
        let removed = self
            .change("remove-folder", &fd, &path, |inside, at, now| match at.ending {
                Ending::Name | Ending::Slash => inside.workspace.rmdir(&at.path, now),
                Ending::Dots => Err(FsError::Invalid),
            })
            .await;
        coded(removed)
    }

    async fn rename_at(&mut self, fd: Handle, old: String, new: Handle, to: String) -> Coded<()> {
        let renamed = self.rename((&fd, &old), (&new, &to)).await;
        coded(renamed)
    }

    async fn symlink_at(&mut self, fd: Handle, target: String, path: String) -> Coded<()> {
        let refused = self
            .change("symlink", &fd, &path, |inside, at, _| match target.chars().next() {
                None => Err(FsError::NoEntry),
                Some('/') => Err(FsError::NotPermitted),
                Some(_) => links::refuse(&inside.workspace, at),
            })
            .await;
        coded(refused)
    }

    async fn unlink_file_at(&mut self, fd: Handle, path: String) -> Coded<()> {
        let removed = self
            .change("unlink", &fd, &path, |inside, at, now| {
                stat::find(&inside.workspace, at)?;
                inside.workspace.unlink(&at.path, now)
            })
            .await;
        coded(removed)
    }

    async fn is_same_object(&mut self, one: Handle, other: Handle) -> wasmtime::Result<bool> {
        Ok(self.table.get(&one)?.node == self.table.get(&other)?.node)
    }

    async fn metadata_hash(&mut self, fd: Handle) -> Coded<MetadataHashValue> {
        let found = match self.descriptor(&fd) {
            Ok(Descriptor { path, node, .. }) => self.hash_node(&path, node).await,
            Err(failed) => Err(failed),
        };
        coded(found)
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Handle,
        _: PathFlags,
        path: String,
    ) -> Coded<MetadataHashValue> {
        let found = match self.resolve(&fd, &path) {
            Ok(at) => self.hash_path(&at).await,
            Err(failed) => Err(failed),
        };
        coded(found)
    }

    async fn drop(&mut self, fd: Handle) -> wasmtime::Result<()> {
        let Descriptor { node, .. } = self.table.delete(fd)?;
        self.gate.inside().workspace.release(node);
        Ok(())
    }
}

impl Airlock {
    async fn read_at(&mut self, fd: &Handle, len: u64, offset: u64) -> Done<(Vec<u8>, bool)> {
        let file = self.file(fd)?;
        readable(&file)?;
        let bytes = self.read_file("read", &file.path, file.node, offset, len).await?;
        let size = self.gate.inside().workspace.stat(file.node)?.size;
        let end = offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok((bytes.to_vec(), end >= size))
    }

    async fn write_at(&mut self, fd: &Handle, bytes: &[u8], offset: u64) -> Done<u64> {
        let file = self.file(fd)?;
        writable(&file)?;
        let len = usize::try_from(MOVE_BYTES_MAX).unwrap_or(usize::MAX).min(bytes.len());
        let bytes = bytes.get(..len).unwrap_or_default();
        self.write_file("write", &file.path, file.node, Some(offset), bytes).await?;
        Ok(u64::try_from(len).unwrap_or(MOVE_BYTES_MAX))
    }

    async fn resize(&mut self, fd: &Handle, size: u64) -> Done<()> {
        let Descriptor { path, node, .. } = {
            let file = self.file(fd)?;
            writable(&file)?;
            file
        };
        let request = Request::file("set-size", Access::Write, &path, &size.to_string());
        self.load(node).await?;
        let resize = |inside: &mut Inside, now| {
            let outcome = inside.workspace.set_size(node, size, now);
            let answer = answer(&outcome, |()| Answer::computed(b""));
            (outcome, answer)
        };
        done(self.gate.inner(request, resize).await)
    }

    async fn hash_path(&mut self, at: &Resolved) -> Done<MetadataHashValue> {
        self.stat_path(at).await?;
        let node = stat::find(&self.gate.inside().workspace, at)?;
        self.hash(node)
    }

    async fn hash_node(&mut self, path: &Path, node: NodeId) -> Done<MetadataHashValue> {
        self.stat_node(path, node).await?;
        self.hash(node)
    }

    fn hash(&mut self, node: NodeId) -> Done<MetadataHashValue> {
        let hash = self.gate.inside().workspace.metadata_hash(node)?.to_be_bytes();
        let half = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
        let (upper, lower) = hash.split_at(8);
        Ok(MetadataHashValue { lower: half(lower), upper: half(upper) })
    }
}

fn readable(file: &Descriptor) -> Done<()> {
    let may = file.flags.contains(DescriptorFlags::READ);
    if may { Ok(()) } else { Err(Failed::Fs(FsError::BadDescriptor)) }
}

fn writable(file: &Descriptor) -> Done<()> {
    let may = file.flags.contains(DescriptorFlags::WRITE);
    if may { Ok(()) } else { Err(Failed::Fs(FsError::BadDescriptor)) }
}
