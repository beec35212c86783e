//! Finds and reads source files: a folder is walked in order of names, never through links, and
//! everything that is left out is said.
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use runstone_engine::node::NodeError;
use runstone_model::failure::Class;
use serde::Serialize;

use super::{language::Language, work::Stop};
use crate::with::invalid;

/// Files of one review.
pub(super) const MAX_FILES: usize = 2_000;
/// Bytes of one file.
pub(super) const MAX_FILE_BYTES: u64 = 1 << 20;
/// Bytes of all files.
pub(super) const MAX_TOTAL_BYTES: u64 = 20 << 20;
/// Entries of folders that are looked at.
const MAX_ENTRIES: usize = 200_000;
/// Folders inside each other.
const MAX_DEPTH: usize = 64;
/// What is left out one by one in the result; more is only counted.
pub(super) const MAX_SKIPPED: usize = 200;

/// Folders that hold no source of the project itself.
const NOT_SOURCE: [&str; 8] = [
    "target",
    "node_modules",
    "venv",
    "__pycache__",
    "site-packages",
    "dist",
    "build",
    "vendor",
];

/// Something that was left out, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Skipped {
    pub(super) path: String,
    pub(super) reason: String,
}

/// One source text.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) language: Language,
    pub(super) text: String,
}

/// What a review works on.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) sources: Vec<Source>,
    pub(super) skipped: Vec<Skipped>,
    /// Files in languages that are not reviewed.
    pub(super) other_files: usize,
    pub(super) bytes: u64,
}

/// Where paths start, and whether they must stay there.
#[derive(Clone, Debug)]
pub(super) struct Workspace {
    pub(super) root: PathBuf,
    pub(super) confine: bool,
}

/// Reads the file or folder at `path`.
pub(super) fn gather(
    workspace: &Workspace,
    path: &str,
    only: Option<Language>,
    stop: &Stop,
) -> Result<Gathered, NodeError> {
    let place = workspace.find(path)?;
    let mut gathered = Gathered::default();
    let shown = path.trim_end_matches('/');
    if place.is_dir() {
        Walk {
            gathered: &mut gathered,
            only,
            stop,
            entries: 0,
        }
        .folder(&place, shown, 0)?;
        if gathered.sources.is_empty() && gathered.skipped.is_empty() {
            return Err(invalid(format!(
                "`{path}` holds no Python or Rust source (.py, .pyi, .rs); other files: {}",
                gathered.other_files
            )));
        }
        return Ok(gathered);
    }
    let language = only.or_else(|| Language::of(&place)).ok_or_else(|| {
        invalid(format!(
            "`{path}` is neither Python nor Rust by its name (.py, .pyi, .rs); say `language`"
        ))
    })?;
    gathered.read(&place, shown, language);
    // A single file that cannot be read is an error, not an empty review.
    match gathered.skipped.pop() {
        Some(skipped) => Err(invalid(format!(
            "`{path}` cannot be reviewed: {}",
            skipped.reason
        ))),
        None => Ok(gathered),
    }
}

impl Workspace {
    fn find(&self, path: &str) -> Result<PathBuf, NodeError> {
        let place = self.root.join(path);
        let real = place.canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                let from = match self.root.as_os_str().is_empty() {
                    true => "the current folder".to_owned(),
                    false => format!("`{}`", self.root.display()),
                };
                wrong_path(format!("`{path}` does not exist (looked for from {from})"))
            }
            _ => wrong_path(format!("`{path}` cannot be opened: {error}")),
        })?;
        if self.confine {
            let root = self.root.canonicalize().map_err(|error| {
                wrong_path(format!("the workspace folder cannot be opened: {error}"))
            })?;
            if !real.starts_with(root) {
                return Err(wrong_path(format!(
                    "`{path}` lies outside of the workspace folder of this server"
                )));
            }
        }
        Ok(real)
    }
}

fn wrong_path(message: String) -> NodeError {
    let mut error = NodeError::new(Class::Configuration, message);
    error.retryable = Some(false);
    error
}

struct Walk<'g> {
    gathered: &'g mut Gathered,
    only: Option<Language>,
    stop: &'g Stop,
    entries: usize,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, shown: &str, depth: usize) -> Result<(), NodeError> {
        self.stop.check()?;
        let mut entries = Vec::new();
        match fs::read_dir(folder) {
            Ok(listing) => {
                for entry in listing.flatten() {
                    self.entries += 1;
                    if self.entries > MAX_ENTRIES {
                        return Err(too_much(format!(
                            "`{shown}` and what was read before hold more than {MAX_ENTRIES} \
                             files; review a smaller folder"
                        )));
                    }
                    entries.push(entry);
                }
            }
            Err(error) => {
                self.gathered
                    .skip(shown, format!("the folder cannot be read: {error}"));
                return Ok(());
            }
        }
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            self.entry(&entry, shown, depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &fs::DirEntry, shown: &str, depth: usize) -> Result<(), NodeError> {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let inner = match shown {
            "." | "" => name.clone().into_owned(),
            _ => format!("{shown}/{name}"),
        };
        let Ok(kind) = entry.file_type() else {
            return Ok(());
        };
        if name.starts_with('.') {
            return Ok(());
        }
        if kind.is_dir() {
            if NOT_SOURCE.contains(&&*name) || entry.path().join("pyvenv.cfg").exists() {
                self.gathered
                    .skip(&inner, "a folder of built or foreign files".to_owned());
            } else if depth >= MAX_DEPTH {
                self.gathered
                    .skip(&inner, format!("deeper than {MAX_DEPTH} folders"));
            } else {
                self.folder(&entry.path(), &inner, depth + 1)?;
            }
            return Ok(());
        }
        match Language::of(&entry.path()) {
            Some(language) if self.only.is_none_or(|only| only == language) => {
                if kind.is_file() {
                    self.gathered.read(&entry.path(), &inner, language);
                } else {
                    self.gathered
                        .skip(&inner, "a link or no regular file".to_owned());
                }
            }
            _ => self.gathered.other_files += 1,
        }
        Ok(())
    }
}

impl Gathered {
    pub(super) fn skip(&mut self, path: &str, reason: String) {
        self.skipped.push(Skipped {
            path: path.to_owned(),
            reason,
        });
    }

    fn read(&mut self, place: &Path, shown: &str, language: Language) {
        match self.text(place) {
            Ok(text) => {
                self.bytes += text.len() as u64;
                self.sources.push(Source {
                    path: shown.to_owned(),
                    language,
                    text,
                });
            }
            Err(reason) => self.skip(shown, reason),
        }
    }

    fn text(&self, place: &Path) -> Result<String, String> {
        if self.sources.len() >= MAX_FILES {
            return Err(format!("more than {MAX_FILES} files"));
        }
        let cannot = |error: io::Error| format!("it cannot be read: {error}");
        let file = File::open(place).map_err(cannot)?;
        if !file.metadata().map_err(cannot)?.is_file() {
            return Err("it is no regular file".to_owned());
        }
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(cannot)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(format!("larger than {} KiB", MAX_FILE_BYTES >> 10));
        }
        if self.bytes + bytes.len() as u64 > MAX_TOTAL_BYTES {
            return Err(format!("more than {} MiB in all", MAX_TOTAL_BYTES >> 20));
        }
        if bytes.contains(&0) {
            return Err("binary, not text".to_owned());
        }
        String::from_utf8(bytes)
            .map_err(|error| format!("not UTF-8 (byte {})", error.utf8_error().valid_up_to()))
    }
}

fn too_much(message: String) -> NodeError {
    let mut error = NodeError::new(Class::Resource, message);
    error.retryable = Some(false);
    error
}
