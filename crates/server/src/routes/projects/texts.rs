//! Projects as lists have them, kept as text for as long as their version stands. A list asks the
//! database which projects it has in which version, and reads only those whose text is not here:
//! nothing here is ever believed without the database. Knows no routes.
use std::{fmt, sync::Arc};

use futures::future::try_join_all;
use quick_cache::{Weighter, sync::Cache};
use runstone_model::{ids::ProjectId, time::Timestamp};
use runstone_store::{ProjectMark, ProjectRecord};
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::wire::Wire;
use crate::{Answer, App, Fault};

/// Bytes of all texts at most.
const MOST_BYTES: u64 = 16 << 20;
/// What one takes besides its text.
const OVERHEAD: u64 = 128;
/// Texts of usual size that fit.
const USUAL: usize = 16_384;

/// A project as it is written.
#[derive(Clone, Debug)]
pub(super) struct Text {
    version: i64,
    updated_at: Timestamp,
    json: Arc<RawValue>,
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

#[derive(Clone, Debug)]
struct Bytes;

impl Weighter<ProjectId, Text> for Bytes {
    fn weight(&self, _: &ProjectId, text: &Text) -> u64 {
        OVERHEAD.saturating_add(text.json.get().len() as u64)
    }
}

/// The texts that are kept; those asked for least go first.
pub(crate) struct Texts(Cache<ProjectId, Text, Bytes>);

impl Default for Texts {
    fn default() -> Self {
        Self(Cache::with_weighter(USUAL, MOST_BYTES, Bytes))
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Texts").field(&self.0.len()).finish()
    }
}

impl Texts {
    /// The text of a project that still is what it was.
    fn find(&self, mark: &ProjectMark) -> Option<Text> {
        let is_so =
            |text: &Text| (text.version, text.updated_at) == (mark.version, mark.updated_at);
        self.0.get(&mark.id).filter(is_so)
    }

    /// The text of a project that was read just now.
    pub(super) fn keep(&self, record: &ProjectRecord) -> Answer<Text> {
        let json = to_raw_value(&Wire(record));
        let text = Text {
            version: record.version,
            updated_at: record.updated_at,
            json: json
                .map_err(|error| Fault::internal(error.to_string()))?
                .into(),
        };
        self.0.insert(record.id, text.clone());
        Ok(text)
    }
}

/// The texts of `marks`, in their order. What is deleted, or no longer is, since the marks were read
/// is left out.
pub(super) async fn texts(app: &App, marks: &[ProjectMark], deleted: bool) -> Answer<Vec<Text>> {
    let mut texts: Vec<Option<Text>> = marks.iter().map(|mark| app.projects.find(mark)).collect();
    let missing = texts.iter_mut().zip(marks);
    let missing = missing.filter(|(text, _)| text.is_none());
    // They are asked for at the same time, and so share a statement.
    let reads = missing.map(|(text, mark)| async move {
        let found = app.store.project(mark.id).await?;
        let found = found.filter(|found| found.deleted_at.is_some() == deleted);
        *text = found.map(|found| app.projects.keep(&found)).transpose()?;
        Ok::<_, Fault>(())
    });
    try_join_all(reads).await?;
    Ok(texts.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn record(id: u128, version: i64, name: &str) -> ProjectRecord {
        ProjectRecord {
            id: ProjectId(Uuid::from_u128(id)),
            name: name.to_owned(),
            description: None,
            version,
            settings: None,
            quotas: None,
            created_at: Timestamp(1),
            updated_at: Timestamp(version),
            deleted_at: None,
        }
    }

    fn mark(of: &ProjectRecord) -> ProjectMark {
        ProjectMark {
            id: of.id,
            name: of.name.clone(),
            version: of.version,
            updated_at: of.updated_at,
        }
    }

    #[test]
    fn a_text_is_good_for_its_version_only() {
        let texts = Texts::default();
        let (first, second) = (record(1, 1, "old"), record(1, 2, "new"));
        assert!(texts.find(&mark(&first)).is_none());
        let kept = texts.keep(&first).ok();
        let found = texts.find(&mark(&first));
        for text in [&kept, &found] {
            let written = serde_json::to_string(text).unwrap_or_default();
            assert_eq!(Some(written), serde_json::to_string(&Wire(&first)).ok());
        }
        assert!(texts.find(&mark(&second)).is_none());
        // Of another history: a database that was restored behind a running server.
        let other = ProjectMark {
            updated_at: Timestamp(7),
            ..mark(&first)
        };
        assert!(texts.find(&other).is_none());
        let _ = texts.keep(&second);
        assert!(texts.find(&mark(&second)).is_some() && texts.find(&mark(&first)).is_none());
    }

    #[test]
    fn they_are_bounded_in_bytes() {
        let texts = Texts::default();
        let name = "n".repeat(1 << 16);
        for id in 0..1_000 {
            let _ = texts.keep(&record(id, 1, &name));
            assert!(texts.0.weight() <= MOST_BYTES);
        }
        assert!(texts.0.len() > 100, "{texts:?}");
    }
}
