//! Archives in an S3-compatible store: sent in parts while they are written, and there only once the
//! last part is. Read by way of temporary files, because a restore reads them more than once.
use std::{
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use futures::TryStreamExt as _;
use object_store::{
    ObjectStore, ObjectStoreExt as _, WriteMultipart,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path as Key,
};
use runstone_store::backup::{
    Archive,
    archive::{ArchiveError, Header},
};
use tempfile::{NamedTempFile, TempPath};
use tokio::{io::AsyncWriteExt as _, runtime::Handle};

use super::{ENDING, Listing};
use crate::{args::S3Args, trouble::Trouble};

/// Bytes of one part. There may be 10,000, so an archive may have 156 GiB.
const PART: usize = 16 << 20;
/// Parts on their way at the same time.
const PARTS: usize = 3;
/// Bytes in which a manifest is looked for.
const MANIFEST: u64 = 64 << 10;

pub(crate) fn is_url(text: &str) -> bool {
    text.starts_with("s3:")
}

/// A bucket and what the names in it begin with.
pub(crate) struct Bucket {
    store: Arc<AmazonS3>,
    name: String,
    prefix: String,
}

impl Bucket {
    /// `s3://bucket/prefix`; keys and region come from the environment.
    pub(crate) fn open(url: &str, args: &S3Args) -> Result<Self, Trouble> {
        let rest = url.strip_prefix("s3://").unwrap_or_default();
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if name.is_empty() {
            return Err(Trouble::at(url, "it names no bucket").mend("write s3://bucket/prefix"));
        }
        let mut builder = AmazonS3Builder::from_env().with_bucket_name(name);
        if let Some(endpoint) = &args.s3_endpoint {
            // Without TLS only where somebody wrote it so.
            builder = builder
                .with_endpoint(endpoint)
                .with_allow_http(endpoint.starts_with("http://"));
        }
        let store = builder.build().map_err(|error| wrong(url, &error))?;
        Ok(Self {
            store: Arc::new(store),
            name: name.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
        })
    }

    fn key(&self, name: &str) -> Key {
        Key::from(match self.prefix.as_str() {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        })
    }

    fn url(&self, key: &Key) -> String {
        format!("s3://{}/{key}", self.name)
    }

    /// The key of what [`Self::url`] made.
    fn key_of(&self, url: &Path) -> Key {
        let url = url.to_string_lossy();
        let begin = format!("s3://{}/", self.name);
        Key::from(url.strip_prefix(&begin).unwrap_or_default())
    }

    pub(super) async fn upload(&self, name: &str) -> Result<Upload, Trouble> {
        let key = self.key(name);
        let url = self.url(&key);
        let begun = self.store.put_multipart(&key).await;
        let upload = begun.map_err(|error| wrong(&url, &error))?;
        Ok(Upload {
            parts: Arc::new(Mutex::new(Some(WriteMultipart::new_with_chunk_size(
                upload, PART,
            )))),
            runtime: Handle::current(),
            unsent: 0,
            url,
        })
    }

    /// Whether an object of that URL lies in it.
    pub(super) fn has(&self, url: &str) -> bool {
        let rest = url
            .strip_prefix("s3://")
            .and_then(|rest| rest.strip_prefix(self.name.as_str()));
        rest.is_some_and(|rest| rest.starts_with('/'))
    }

    pub(super) async fn list(&self) -> Result<Listing, Trouble> {
        let prefix = (!self.prefix.is_empty()).then(|| Key::from(self.prefix.as_str()));
        let shown = format!("s3://{}/{}", self.name, self.prefix);
        // As in a folder: what lies deeper belongs to others.
        let listed = self.store.list_with_delimiter(prefix.as_ref()).await;
        let mut objects = listed.map_err(|error| wrong(&shown, &error))?.objects;
        objects.sort_by(|a, b| a.location.cmp(&b.location));
        let mut listing = Listing::default();
        for object in objects {
            if !object.location.as_ref().ends_with(ENDING) {
                continue;
            }
            let url = self.url(&object.location);
            let range = 0..object.size.min(MANIFEST);
            let bytes = self.store.get_range(&object.location, range).await;
            let bytes = bytes.map_err(|error| wrong(&url, &error))?;
            match Header::read(&bytes[..]) {
                Ok(header) => listing.archives.push(Archive {
                    path: url.into(),
                    header,
                    bytes: object.size,
                }),
                Err(error) => listing.others.push((url, said(&error))),
            }
        }
        listing.sort();
        Ok(listing)
    }

    /// Brings an archive into a temporary file.
    pub(super) async fn fetch(&self, url: &Path) -> Result<(TempPath, u64), Trouble> {
        let key = self.key_of(url);
        let shown = self.url(&key);
        let got = self.store.get(&key).await;
        let mut stream = got.map_err(|error| wrong(&shown, &error))?.into_stream();
        let failed = |error: io::Error| {
            let reason = format!("it cannot be brought into a temporary file: {error}");
            Trouble::at(shown.clone(), reason)
        };
        let path = NamedTempFile::new().map_err(failed)?.into_temp_path();
        let mut file = tokio::fs::File::create(&path).await.map_err(failed)?;
        let mut bytes = 0;
        while let Some(part) = stream
            .try_next()
            .await
            .map_err(|error| wrong(&shown, &error))?
        {
            bytes += part.len() as u64;
            file.write_all(&part).await.map_err(failed)?;
        }
        file.flush().await.map_err(failed)?;
        Ok((path, bytes))
    }

    pub(super) async fn delete(&self, url: &Path) -> Result<(), Trouble> {
        let key = self.key_of(url);
        let deleted = self.store.delete(&key).await;
        deleted.map_err(|error| wrong(&self.url(&key), &error))
    }
}

type Parts = Arc<Mutex<Option<WriteMultipart>>>;

/// An archive on its way. It is nowhere to be seen before its last part is there.
pub(crate) struct Upload {
    parts: Parts,
    runtime: Handle,
    /// Bytes since the store was last waited for.
    unsent: usize,
    url: String,
}

/// Ends an upload that came to nothing.
pub(crate) struct Abort(Parts);

impl Abort {
    /// Tells the store to forget the parts it has.
    pub(crate) async fn run(self) {
        let parts = take(&self.0);
        if let Some(parts) = parts {
            // Without an answer the store keeps parts that nobody sees; its own rules delete them.
            let _ = parts.abort().await;
        }
    }
}

fn take(parts: &Parts) -> Option<WriteMultipart> {
    parts.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl Upload {
    pub(super) fn abort(&self) -> Abort {
        Abort(Arc::clone(&self.parts))
    }

    pub(super) async fn publish(self) -> Result<String, Trouble> {
        if let Some(parts) = take(&self.parts) {
            let done = parts.finish().await;
            done.map_err(|error| wrong(&self.url, &error))?;
        }
        Ok(self.url)
    }
}

/// Called on a thread that may wait.
impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(mut parts) = take(&self.parts) else {
            return Err(io::Error::other("the upload was given up"));
        };
        let done = if self.unsent >= PART {
            self.unsent = 0;
            self.runtime.block_on(parts.wait_for_capacity(PARTS))
        } else {
            Ok(())
        };
        parts.write(bytes);
        self.unsent += bytes.len();
        *self.parts.lock().unwrap_or_else(PoisonError::into_inner) = Some(parts);
        done.map(|()| bytes.len())
            .map_err(|error| io::Error::other(error.to_string()))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn said(error: &ArchiveError) -> String {
    error.to_string()
}

/// What the store answered, and what it is mostly about.
fn wrong(url: &str, error: &object_store::Error) -> Trouble {
    use object_store::Error as E;
    let mend = match error {
        E::NotFound { .. } => "check the bucket's name and that it exists",
        E::Unauthenticated { .. } | E::PermissionDenied { .. } => {
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to keys that may use the bucket"
        }
        _ => {
            "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and, for a store that is \
             not Amazon's, --s3-endpoint"
        }
    };
    Trouble::at(
        url,
        format!("the store refuses or does not answer: {error}"),
    )
    .mend(mend)
}
