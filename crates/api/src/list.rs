//! What every list is asked for: which page, in which order, whether to count; and what a list is
//! filtered by besides, which is its own. Orders are a closed set for each list, so that the OpenAPI
//! document names them and another one is refused.
use std::fmt;

use serde::{Deserialize, Deserializer, de::Error as _};
use utoipa::{
    IntoParams,
    openapi::{
        KnownFormat, ObjectBuilder, Required, SchemaFormat, Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};

use crate::{DEFAULT_LIMIT, MAX_LIMIT};

/// The fields that a list can be sorted by: a closed set, and which order is taken when none is given.
pub trait SortKey: Copy + Eq + fmt::Debug + 'static {
    /// Each field with its name on the wire.
    const ALL: &'static [(&'static str, Self)];
    /// The order when none is given.
    const DEFAULT: Sort<Self>;
}

/// An order: a field, upwards or downwards. On the wire `name` or `-name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort<K> {
    /// The field.
    pub key: K,
    /// From the greatest on.
    pub down: bool,
}

impl<K: SortKey> Sort<K> {
    /// Every order of the list, as on the wire; first the one that is taken when none is given.
    #[must_use]
    pub fn names() -> Vec<String> {
        let usual = K::DEFAULT;
        let others = K::ALL.iter().map(|(_, key)| *key);
        let others = others.filter(|key| *key != usual.key);
        [usual.key]
            .into_iter()
            .chain(others)
            .flat_map(|key| [usual.down, !usual.down].map(|down| Self { key, down }.to_string()))
            .collect()
    }

    fn parse(text: &str) -> Option<Self> {
        let (down, name) = match text.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, text),
        };
        let (_, key) = K::ALL.iter().find(|(known, _)| *known == name)?;
        Some(Self { key: *key, down })
    }
}

impl<K: SortKey> fmt::Display for Sort<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = K::ALL.iter().find(|(_, key)| *key == self.key);
        let name = name.map_or("", |(name, _)| *name);
        write!(f, "{}{name}", if self.down { "-" } else { "" })
    }
}

impl<'de, K: SortKey> Deserialize<'de> for Sort<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("no such order"))
    }
}

macro_rules! sort_keys {
    ($($(#[$about:meta])* $name:ident: $down:literal $first:ident, $($key:ident = $text:literal),+;)+) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = concat!("By `", $text, "`.")] $key,)+
        }

        impl SortKey for $name {
            const ALL: &'static [(&'static str, Self)] = &[$(($text, Self::$key)),+];
            const DEFAULT: Sort<Self> = Sort { key: Self::$first, down: $down };
        }
    )+};
}

sort_keys! {
    /// Of things that come newest first.
    NewestFirst: true CreatedAt, CreatedAt = "created_at";
    /// Of things that come oldest first.
    OldestFirst: false CreatedAt, CreatedAt = "created_at";
    /// Of projects.
    ProjectKey: false CreatedAt, CreatedAt = "created_at", Name = "name";
    /// Of documents.
    DocumentKey: true CreatedAt, CreatedAt = "created_at", UpdatedAt = "updated_at";
    /// Of agent executions.
    ExecutionKey: true StartedAt, StartedAt = "started_at";
    /// Of the audit log.
    AuditKey: true At, At = "at";
    /// Of members.
    MemberKey: false Subject, Subject = "subject";
    /// Of flows.
    FlowKey: false Name, Name = "name";
    /// Of versions.
    VersionKey: true Version, Version = "version";
    /// Of what has a place in a sequence: messages, entries of a journal.
    SeqKey: false Seq, Seq = "seq";
}

/// What a list without a filter of its own is filtered by.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Unfiltered {}

impl IntoParams for Unfiltered {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Vec::new()
    }
}

/// The query of a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(bound = "K: SortKey, F: Deserialize<'de>")]
pub struct List<K, F = Unfiltered> {
    /// At most so many.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// In which order.
    pub sort: Option<Sort<K>>,
    /// Whether to count them all.
    #[serde(default)]
    pub total: bool,
    /// What it is filtered by.
    #[serde(flatten)]
    pub filter: F,
}

impl<K: SortKey, F> List<K, F> {
    /// The order that is wanted.
    #[must_use]
    pub fn order(&self) -> Sort<K> {
        self.sort.unwrap_or(K::DEFAULT)
    }
}

impl<K: SortKey, F: IntoParams> IntoParams for List<K, F> {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let integer = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
            .minimum(Some(1))
            .maximum(Some(MAX_LIMIT));
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let order = text().enum_values(Some(Sort::<K>::names()));
        let flag = ObjectBuilder::new().schema_type(Type::Boolean);
        let sorted = format!(
            "The field that they are sorted by, downwards with `-`; `{}` when not given.",
            K::DEFAULT
        );
        let limited = format!("At most so many; {DEFAULT_LIMIT} when not given.");
        let all = [
            ("limit", integer, limited),
            (
                "cursor",
                text(),
                "`next_cursor` of the page before, in the same order.".to_owned(),
            ),
            ("sort", order, sorted),
            ("total", flag, "Also count them all.".to_owned()),
        ];
        let mut parameters: Vec<Parameter> = all
            .into_iter()
            .map(|(name, schema, description)| {
                ParameterBuilder::new()
                    .name(name)
                    .parameter_in(place().unwrap_or_default())
                    .required(Required::False)
                    .description(Some(description))
                    .schema(Some(schema))
                    .build()
            })
            .collect();
        parameters.extend(F::into_params(place));
        parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_is_written() {
        assert_eq!(
            Sort::<ProjectKey>::names(),
            ["created_at", "-created_at", "name", "-name"],
        );
        assert_eq!(Sort::<NewestFirst>::names(), ["-created_at", "created_at"]);
        for name in Sort::<ProjectKey>::names() {
            let read = Sort::<ProjectKey>::parse(&name);
            assert_eq!(read.map(|sort| sort.to_string()), Some(name));
        }
        for wrong in ["", "-", "--name", "Name", "name ", "updated_at"] {
            assert_eq!(Sort::<ProjectKey>::parse(wrong), None, "{wrong}");
        }
    }
}
