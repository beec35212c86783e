//! Identifiers: UUID v7 wrapped per kind so that one cannot be passed for another. Creating one is
//! the engine's job (its `Ids` trait); this file only names and prints them.
use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0.hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id!(
    /// A project: the owner of every other object.
    ProjectId
);
id!(
    /// One immutable version of a flow.
    FlowVersionId
);
id!(
    /// One run of a flow version.
    RunId
);
id!(
    /// One server process.
    ServerId
);
id!(
    /// A document, through all of its versions.
    DocumentId
);
id!(
    /// A conversation.
    ThreadId
);
id!(
    /// One message of a thread.
    MessageId
);
id!(
    /// One piece of work that an agent reports.
    AgentExecutionId
);
id!(
    /// An archive of documents.
    ExportId
);

impl ProjectId {
    /// The project that exists in every database from the first migration on.
    pub const DEFAULT: Self = Self(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001));
}
