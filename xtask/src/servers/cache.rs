//! A folder that outlives a run: fetched programs and prepared data folders, each under a key that
//! names its version. It may be deleted at any time; what is in it is made anew when needed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::unprivileged::is_root;

const NAME: &str = "runstone-tests";

/// What `make` puts into the folder of that key, made once. Two processes may do it at once: one
/// of the two results is kept.
pub(super) fn once(key: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let cache = folder()?;
    let kept = cache.join(key);
    if kept.is_dir() {
        return Ok(kept);
    }
    std::fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    readable(&cache)?;
    let draft = tempfile::Builder::new()
        .prefix(&format!(".{key}-"))
        .tempdir_in(&cache)
        .with_context(|| format!("cannot write to {}", cache.display()))?;
    readable(draft.path())?;
    make(draft.path())?;
    match std::fs::rename(draft.path(), &kept) {
        Err(_) if kept.is_dir() => {}
        done => done.with_context(|| format!("cannot make {}", kept.display()))?,
    }
    Ok(kept)
}

/// Root's servers run as another user, who cannot see into root's home.
fn folder() -> Result<PathBuf> {
    if is_root()? {
        return Ok(Path::new("/var/cache").join(NAME));
    }
    let given = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty());
    let cache = match given {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(std::env::var_os("HOME").context("HOME is not set")?).join(".cache"),
    };
    Ok(cache.join(NAME))
}

fn readable(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let rights = std::fs::Permissions::from_mode(0o755);
    Ok(std::fs::set_permissions(folder, rights)?)
}
