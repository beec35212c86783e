//! Who may do what: roles in rising order, and what an operation asks for. The table of operation ×
//! role is made of these and printed into the documentation.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a key or a person may do in a project.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads and writes: flows, runs, content.
    Editor,
    /// Also the project itself: settings, members, keys.
    Owner,
    /// Everything on this server, in every project.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Editor, Self::Owner, Self::Admin];

    /// The name in SQL, JSON and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
            Self::Admin => "admin",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// What an operation asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: anybody may call it.
    Public,
    /// Any valid key or token; what is answered depends on it.
    Authenticated,
    /// At least this role: in the project of the path, or `Admin` on the server.
    AtLeast(Role),
}

impl Access {
    /// Whether somebody with `role` may do it.
    #[must_use]
    pub fn allows(self, role: Role) -> bool {
        match self {
            Self::Public | Self::Authenticated => true,
            Self::AtLeast(least) => role >= least,
        }
    }

    /// How the documentation calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Authenticated => "any key",
            Self::AtLeast(role) => role.name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_role_may_do_all_that_a_lower_one_may() {
        for least in Role::ALL {
            for role in Role::ALL {
                let allowed = Access::AtLeast(least).allows(role);
                assert_eq!(allowed, role as u8 >= least as u8, "{least:?} {role:?}");
            }
        }
        assert!(Access::Public.allows(Role::Viewer));
    }

    #[test]
    fn names_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        assert_eq!(Role::from_name("root"), None);
    }
}
