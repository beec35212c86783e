//! In place of `s3.rs` in a program that was built without it: says so.
use std::{
    convert::Infallible,
    io::{self, Write},
    path::Path,
};

use tempfile::TempPath;

use super::Listing;
use crate::{args::S3Args, trouble::Trouble};

pub(crate) fn is_url(text: &str) -> bool {
    text.starts_with("s3:")
}

pub(crate) struct Bucket(Infallible);
pub(crate) struct Upload(Infallible);
pub(crate) struct Abort(Infallible);

impl Bucket {
    pub(crate) fn open(url: &str, _: &S3Args) -> Result<Self, Trouble> {
        Err(Trouble::at(url, "this program was built without S3")
            .mend("name a folder, or build it with the feature `s3`"))
    }

    pub(super) async fn upload(&self, _: &str) -> Result<Upload, Trouble> {
        match self.0 {}
    }

    pub(super) async fn list(&self) -> Result<Listing, Trouble> {
        match self.0 {}
    }

    pub(super) async fn fetch(&self, _: &Path) -> Result<(TempPath, u64), Trouble> {
        match self.0 {}
    }

    pub(super) async fn delete(&self, _: &Path) -> Result<(), Trouble> {
        match self.0 {}
    }
}

impl Abort {
    pub(crate) async fn run(self) {
        match self.0 {}
    }
}

impl Upload {
    pub(super) fn abort(&self) -> Abort {
        match self.0 {}
    }

    pub(super) async fn publish(self) -> Result<String, Trouble> {
        match self.0 {}
    }
}

impl Write for Upload {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match self.0 {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0 {}
    }
}
