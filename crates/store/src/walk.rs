//! How lists are read: page by page along one index, in either direction, each page beyond the key of
//! the last item before it. Knows no list.
use runstone_db::{Direction, Row, Statement, Value};
use runstone_model::{
    ids::{AgentExecutionId, DocumentId, ExportId, MessageId, ProjectId, RunId, ThreadId},
    time::Timestamp,
};
use uuid::Uuid;

use crate::{Error, SqlStore, catalog::Pages};

/// Which page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk<K> {
    /// Which way.
    pub direction: Direction,
    /// The key of the item before the page; None for the first page.
    pub beyond: Option<K>,
    /// At most so many items.
    pub limit: u32,
}

impl<K> Walk<K> {
    /// The first page from the smallest key on.
    #[must_use]
    pub const fn up(limit: u32) -> Self {
        Self {
            direction: Direction::Up,
            beyond: None,
            limit,
        }
    }

    /// The first page from the greatest key on: where keys are times or ids, the newest first.
    #[must_use]
    pub const fn down(limit: u32) -> Self {
        Self {
            direction: Direction::Down,
            beyond: None,
            limit,
        }
    }

    /// The same way and limit beyond `key`.
    #[must_use]
    pub fn beyond(self, key: K) -> Self {
        Self {
            beyond: Some(key),
            ..self
        }
    }
}

impl Walk<i64> {
    /// Upwards after the entry `seq` of a journal.
    #[must_use]
    pub fn after(seq: u64, limit: u32) -> Self {
        Self::up(limit).beyond(i64::try_from(seq).unwrap_or(i64::MAX))
    }
}

/// How many items a list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// So many.
    Is(u64),
    /// Not known: more than so many would have to be looked at.
    TooMany(u32),
}

impl Total {
    /// `found` of `looked` items that were looked at; more than `most` are too many.
    pub(crate) fn of(looked: u64, found: u64, most: u32) -> Self {
        if looked > u64::from(most) {
            Self::TooMany(most)
        } else {
            Self::Is(found)
        }
    }
}

/// What a page can begin beyond: the parameters of `{{beyond …}}`.
pub trait WalkKey {
    /// Name and value of each parameter.
    fn edges(&self) -> Vec<(&'static str, Value)>;

    /// The same of `{{upto …}}`, for a portion that ends with this key.
    fn ends(&self) -> Vec<(&'static str, Value)> {
        let named = |(name, value)| match name {
            "at" => ("to_at", value),
            _ => ("to", value),
        };
        self.edges().into_iter().map(named).collect()
    }
}

impl WalkKey for Uuid {
    fn edges(&self) -> Vec<(&'static str, Value)> {
        vec![("edge", (*self).into())]
    }
}

impl WalkKey for i64 {
    fn edges(&self) -> Vec<(&'static str, Value)> {
        vec![("edge", (*self).into())]
    }
}

impl WalkKey for String {
    fn edges(&self) -> Vec<(&'static str, Value)> {
        vec![("edge", self.as_str().into())]
    }
}

impl WalkKey for (Timestamp, DocumentId) {
    fn edges(&self) -> Vec<(&'static str, Value)> {
        vec![("at", self.0.0.into()), ("edge", self.1.0.into())]
    }
}

macro_rules! ids {
    ($($id:ident)+) => {$(
        impl WalkKey for $id {
            fn edges(&self) -> Vec<(&'static str, Value)> {
                self.0.edges()
            }
        }
    )+};
}

ids!(AgentExecutionId DocumentId ExportId MessageId ProjectId RunId ThreadId);

impl SqlStore {
    /// A page of a list; `params` are those of its filter.
    pub(crate) async fn page<T, K: WalkKey>(
        &self,
        pages: &Pages,
        walk: &Walk<K>,
        params: impl IntoIterator<Item = (&'static str, Value)>,
        read: impl FnMut(Row) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let statement = pages.at(walk.direction, walk.beyond.is_none());
        let params = page_params(walk, params);
        self.all(statement, &params, read).await
    }

    /// How many items fit, by a statement that looks at `most` and one more.
    pub(crate) async fn total(
        &self,
        statement: &Statement,
        most: u32,
        params: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Result<Total, Error> {
        let limit = [("limit", (most + 1).into())];
        let params: Vec<_> = params.into_iter().chain(limit).collect();
        let row = self.database().fetch_optional(statement, &params).await?;
        Ok(match row {
            Some(row) => Total::of(row.get("looked")?, row.get("found")?, most),
            None => Total::Is(0),
        })
    }
}

/// All parameters of a page's statement.
pub(crate) fn page_params<K: WalkKey>(
    walk: &Walk<K>,
    params: impl IntoIterator<Item = (&'static str, Value)>,
) -> Vec<(&'static str, Value)> {
    let mut all: Vec<_> = params.into_iter().collect();
    all.push(("limit", walk.limit.into()));
    all.extend(walk.beyond.iter().flat_map(WalkKey::edges));
    all
}
