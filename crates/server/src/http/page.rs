//! Pages of lists: limits, cursors, and the answer's form.
use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use runstone_api::{DEFAULT_LIMIT, FieldError, List, Sort, SortKey, cursor};
use runstone_store::{Direction, Sifted, Total, Walk};
use serde::Serialize;

use crate::{Answer, Fault, invalid_query};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Room for an item: growing by doubling would copy the page over and over.
const ITEM_BYTES: usize = 640;

/// One page.
#[derive(Clone, Debug, Serialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Leads to the next page; nothing on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many there are in all, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

/// What a list is asked for.
#[derive(Clone, Debug)]
pub struct Paging<K> {
    /// Items of the page; ask the store for one more, to know whether there is a next page.
    pub limit: u32,
    /// The order.
    pub sort: Sort<K>,
    /// The key of the item before the page.
    after: Option<String>,
    list: &'static str,
}

impl<K: SortKey> Paging<K> {
    /// Reads what the list `list` is asked for.
    ///
    /// # Errors
    /// The cursor is none of this list in this order.
    pub fn read<F>(list: &'static str, query: &List<K, F>) -> Answer<Self> {
        Self::read_in(list, query, query.order())
    }

    /// The same in the order `sort`, where what it is when none is given depends on more.
    ///
    /// # Errors
    /// The cursor is none of this list in this order.
    pub fn read_in<F>(list: &'static str, query: &List<K, F>, sort: Sort<K>) -> Answer<Self> {
        let key = |text: &String| cursor::decode(list, &sort.to_string(), text);
        let after = query.cursor.as_ref();
        let after = after.map(|text| key(text).ok_or_else(wrong_cursor));
        Ok(Self {
            limit: query.limit.unwrap_or(DEFAULT_LIMIT),
            sort,
            after: after.transpose()?,
            list,
        })
    }

    /// The walk that finds the page and one item more; the cursor's key is read as a `T`.
    ///
    /// # Errors
    /// The cursor holds no such key.
    pub fn walk<T: std::str::FromStr>(&self) -> Answer<Walk<T>> {
        self.walk_by(|text| text.parse().ok())
    }

    /// The same, with a key that `read` reads.
    ///
    /// # Errors
    /// The cursor holds no such key.
    pub fn walk_by<T>(&self, read: impl Fn(&str) -> Option<T>) -> Answer<Walk<T>> {
        let beyond = self.after.as_deref();
        let beyond = beyond.map(|text| read(text).ok_or_else(wrong_cursor));
        Ok(Walk {
            direction: match self.sort.down {
                true => Direction::Down,
                false => Direction::Up,
            },
            beyond: beyond.transpose()?,
            limit: self.limit.saturating_add(1),
        })
    }

    /// The cursor beyond an item.
    #[must_use]
    pub fn cursor(&self, key: &str) -> String {
        cursor::encode(self.list, &self.sort.to_string(), key)
    }

    /// The page out of what the store gave; `key` is what the cursor remembers of an item.
    pub fn page<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> String) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| more);
        Page {
            next_cursor: last.map(|item| self.cursor(&key(item))),
            items,
            total: None,
        }
    }

    /// The page out of what the store found in a bounded part of the list: when that ended first, the
    /// next page goes on behind it. `key` is what the cursor remembers of an item, `reached` the same
    /// of a key.
    pub fn sifted<T, At>(
        &self,
        sifted: Sifted<T, At>,
        key: impl Fn(&T) -> String,
        reached: impl Fn(&At) -> String,
    ) -> Page<T> {
        let Sifted { found, reached: at } = sifted;
        let mut page = self.page(found, key);
        if page.next_cursor.is_none() {
            page.next_cursor = at.map(|at| self.cursor(&reached(&at)));
        }
        page
    }
}

/// The fault for a cursor that leads nowhere.
fn wrong_cursor() -> Fault {
    let detail = "the cursor is not one that this list gave in this order";
    invalid_query(vec![FieldError::new("cursor", detail)])
}

/// The number of a count that the store has bounded.
///
/// # Errors
/// There is too much to look at.
pub fn counted(total: Total) -> Answer<u64> {
    match total {
        Total::Is(count) => Ok(count),
        Total::TooMany(most) => {
            let detail = format!(
                "more than {most} would have to be looked at to count them: ask for less, or leave \
                 `total` out"
            );
            Err(invalid_query(vec![FieldError::new("total", detail)]))
        }
    }
}

impl<T> Page<T> {
    /// With how many there are in all, when that is known.
    #[must_use]
    pub fn total(self, total: Option<u64>) -> Self {
        Self { total, ..self }
    }

    /// The same page of other items.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next_cursor: self.next_cursor,
            total: self.total,
        }
    }
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let mut body = Vec::with_capacity(ITEM_BYTES * (self.items.len() + 1));
        match serde_json::to_writer(&mut body, &self) {
            Ok(()) => ([(header::CONTENT_TYPE, JSON)], body).into_response(),
            Err(error) => Fault::internal(error.to_string()).into_response(),
        }
    }
}
