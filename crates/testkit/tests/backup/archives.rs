//! Taking, reading and restoring archives in a folder.
use std::{
    collections::BTreeMap,
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
    sync::Arc,
};

use runstone_engine::{Clock as _, Ids as _, RealIds, SystemClock};
use runstone_store::{
    SqlStore,
    backup::{
        Archive, BackupError, BackupRequest, Meter, Restore, Restored, Taken,
        archive::{Cost, Passphrase, Reader, Section},
        chain, restore,
    },
};

/// Cheap to guess, quick to test.
pub(crate) const CHEAP: Cost = Cost {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};

pub(crate) fn passphrase() -> Option<Passphrase> {
    Passphrase::new("correct horse")
}

/// Takes a backup into a file called `name`.
pub(crate) async fn take(
    store: &SqlStore,
    folder: &Path,
    name: &str,
    since: Option<&str>,
) -> (PathBuf, Taken) {
    let path = folder.join(name);
    let request = BackupRequest {
        id: RealIds.next(),
        now: SystemClock.now(),
        since: since.map(|name| folder.join(name)),
        passphrase: passphrase(),
        cost: CHEAP,
    };
    let file = File::create(&path).unwrap();
    let (_, taken) = store.backup(file, request, &Arc::default()).await.unwrap();
    (path, taken)
}

/// The archives in `folder` that lead to `name`.
pub(crate) fn leading_to(folder: &Path, name: &str) -> Vec<Archive> {
    let known: Vec<Archive> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "rsb"))
        .map(|path| Archive::open(&path).unwrap())
        .collect();
    let newest = Archive::open(&folder.join(name)).unwrap();
    chain(newest.header.id, &known).unwrap()
}

pub(crate) async fn try_restore(url: &str, chain: Vec<Archive>) -> Result<Restored, BackupError> {
    let request = Restore {
        url: url.to_owned(),
        chain,
        passphrase: passphrase(),
        who: "a test".to_owned(),
        clock: Arc::new(|| SystemClock.now()),
    };
    restore(request, &Arc::new(Meter::default()), || {}).await
}

/// Every row of an archive, by section, in an order that is the same from every database.
pub(crate) fn content(path: &Path) -> BTreeMap<&'static str, Vec<String>> {
    let file = BufReader::new(File::open(path).unwrap());
    let mut reader = Reader::open(file, passphrase().as_ref()).unwrap();
    let mut content: BTreeMap<_, Vec<String>> = BTreeMap::new();
    while let Some(chunk) = reader.next_chunk().unwrap() {
        let rows = chunk.rows.into_iter().map(|row| format!("{row:?}"));
        content
            .entry(chunk.section.name())
            .or_default()
            .extend(rows);
    }
    for rows in content.values_mut() {
        rows.sort_unstable();
    }
    assert_eq!(
        reader.trailer().unwrap().count(Section::Runs) as usize,
        content.get("runs").map_or(0, Vec::len)
    );
    content
}
