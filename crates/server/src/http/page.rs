//! Pages of lists: limits, cursors, and the answer's form.
use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use runstone_api::{Code, DEFAULT_LIMIT, FieldError, cursor};
use serde::Serialize;

use crate::{Answer, Fault};

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
pub struct Paging {
    /// Items of the page; ask the store for one more, to know whether there is a next page.
    pub limit: u32,
    /// The key of the item before the page.
    pub after: Option<String>,
    list: &'static str,
}

impl Paging {
    /// Reads `limit` and `cursor` of the list `list`.
    ///
    /// # Errors
    /// The cursor is none of this list.
    pub fn read(list: &'static str, limit: Option<u32>, cursor: Option<&str>) -> Answer<Self> {
        let after = match cursor {
            None => None,
            Some(text) => Some(cursor::decode(list, text).ok_or_else(Self::wrong_cursor)?),
        };
        Ok(Self {
            limit: limit.unwrap_or(DEFAULT_LIMIT),
            after,
            list,
        })
    }

    /// The fault for a cursor that leads nowhere.
    #[must_use]
    pub fn wrong_cursor() -> Fault {
        let detail = "the cursor is not one that this list gave";
        Fault::new(Code::InvalidQuery, detail).errors(vec![FieldError::new("cursor", detail)])
    }

    /// The key of the item before the page, read as a `T`.
    ///
    /// # Errors
    /// The cursor holds no such key.
    pub fn after<T: std::str::FromStr>(&self) -> Answer<Option<T>> {
        let read = |text: &String| text.parse().map_err(|_| Self::wrong_cursor());
        self.after.as_ref().map(read).transpose()
    }

    /// How many to ask the store for.
    #[must_use]
    pub fn fetch(&self) -> u32 {
        self.limit.saturating_add(1)
    }

    /// The page out of what the store gave; `key` is what the cursor remembers of an item.
    pub fn page<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> String) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| more);
        Page {
            next_cursor: last.map(|item| cursor::encode(self.list, &key(item))),
            items,
            total: None,
        }
    }
}

impl<T> Page<T> {
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
