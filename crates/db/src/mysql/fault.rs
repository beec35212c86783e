//! MySQL's and MariaDB's errors in our classes. Their messages quote values; those parts are left
//! out.
use crate::error::{Class, Error};
use mysql_async::{DriverError, Error as Fault, IoError, ServerError};

/// An error of a statement.
pub(super) fn classed(error: &Fault) -> Error {
    match error {
        Fault::Server(server) => answered(server),
        Fault::Driver(DriverError::PacketTooLarge) => too_large(),
        Fault::Driver(DriverError::ConnectionClosed) => gone("it is closed"),
        Fault::Io(IoError::Io(io)) if says_too_large(io) => too_large(),
        Fault::Io(error) => gone(error),
        Fault::Driver(DriverError::PacketOutOfOrder | DriverError::UnexpectedPacket { .. }) => {
            gone("the server sent what nobody asked for")
        }
        Fault::Driver(DriverError::StmtParamsNumberExceedsLimit { supplied }) => Error::other(
            format!("the statement has {supplied} values, MySQL takes at most 65535; use fewer"),
        ),
        // It could quote values.
        Fault::Driver(_) => Error::other("the driver could not carry out the statement"),
        other => Error::other(other.to_string()),
    }
}

fn gone(why: impl std::fmt::Display) -> Error {
    Error::new(Class::Gone, format!("the connection broke: {why}"))
}

/// The codec's own refusal comes wrapped.
fn says_too_large(io: &std::io::Error) -> bool {
    io.to_string()
        .to_ascii_lowercase()
        .contains("packet too large")
        || io
            .to_string()
            .to_ascii_lowercase()
            .contains("packet is larger")
}

pub(super) fn too_large() -> Error {
    Error::other(
        "a statement with its values is larger than the server's max_allowed_packet; raise that \
         setting on the server, or store less at once",
    )
}

fn answered(server: &ServerError) -> Error {
    let said = server.message.as_str();
    let (class, message) = match server.code {
        1062 | 1586 => (
            Class::Unique,
            match after(said, " for key ") {
                Some(key) => format!("a row with the same key exists (key {key})"),
                None => "a row with the same key exists".to_owned(),
            },
        ),
        // Deadlock; and what replication and clusters answer in its place.
        1213 | 1020 | 1637 | 3101 => (Class::Serialization, said.to_owned()),
        // The lock wait timed out, or would have had to wait.
        1205 | 3572 => (Class::Busy, said.to_owned()),
        1040 | 1203 | 1226 | 1461 => (Class::Busy, said.to_owned()),
        1317 | 1969 | 3024 => (
            Class::Timeout,
            format!("the statement took too long and was stopped ({said})"),
        ),
        1290 | 1792 | 1836 | 3100 => (
            Class::ReadOnly,
            format!("the database can only be read ({said})"),
        ),
        // Its own data are whole: it made a table for one statement, and the disk or its limit had
        // no room for that.
        _ if names_a_temporary_table(server) => (
            Class::Busy,
            format!("the server has no room for a temporary table ({said}); free some space"),
        ),
        1021 | 1114 | 1041 | 3675 => (
            Class::Full,
            format!("the server's disk is full ({said}); free some space"),
        ),
        1034 | 1035 | 1194 | 1712 | 1877 | 126 | 127 => (
            Class::Corrupt,
            format!("the server's data is damaged ({said}); restore a backup"),
        ),
        1053 | 1077 | 1079 | 1152 | 1159 | 1161 | 1927 | 2006 | 2013 | 3169 | 4031 => (
            Class::Gone,
            format!("the server closed the connection ({said})"),
        ),
        // A file could not be written, extended or made.
        _ if said.contains("No space left on device") || said.contains("error 28 ") => (
            Class::Full,
            format!("the server's disk is full ({said}); free some space"),
        ),
        1153 | 1301 => return too_large().numbered(server.code.into()),
        _ => (Class::Other, refused(server)),
    };
    Error::new(class, message).numbered(server.code.into())
}

/// Whether a full or damaged table is one that the server made for itself, to carry out a statement.
fn names_a_temporary_table(server: &ServerError) -> bool {
    let said = server.message.as_str();
    match server.code {
        1021 | 1114 => said.contains("'(temporary)'"),
        1034 | 1035 | 1194 | 1195 | 126 | 127 => {
            said.contains("'(temporary)'") || said.contains("#sql")
        }
        _ => false,
    }
}

/// Why the server did not take a statement, without the values that it quotes.
fn refused(server: &ServerError) -> String {
    let said = server.message.as_str();
    let column = after(said, "for column ").map_or_else(
        || "a column".to_owned(),
        |rest| {
            format!(
                "the column {}",
                rest.split(" at row").next().unwrap_or(rest)
            )
        },
    );
    match server.code {
        1264 => format!("a number is out of the range of {column}"),
        1406 => format!("a text or bytes are too long for {column}"),
        1265 | 1292 | 1366 | 1367 | 1411 | 1300 | 3854 => {
            format!("a value does not fit the type of {column}")
        }
        _ => said.to_owned(),
    }
}

fn after<'a>(said: &'a str, words: &str) -> Option<&'a str> {
    said.rsplit_once(words).map(|(_, rest)| rest)
}

/// The same error for a text with values in it: a syntax error quotes what it stumbled over.
pub(super) fn without_text(mut error: Error) -> Error {
    if error.code == Some(1064) {
        error.message = "the server does not understand the statement".to_owned();
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: u16, message: &str) -> Error {
        classed(&Fault::Server(ServerError {
            code,
            message: message.to_owned(),
            state: "HY000".to_owned(),
        }))
    }

    #[test]
    fn no_error_quotes_a_value() {
        for (code, message, wanted) in [
            (
                1062,
                "Duplicate entry 'secret for key x' for key 'runs.PRIMARY'",
                "a row with the same key exists (key 'runs.PRIMARY')",
            ),
            (
                1366,
                "Incorrect string value: '\\xFFsecret' for column `t`.`item`.`note` at row 1",
                "a value does not fit the type of the column `t`.`item`.`note`",
            ),
            (
                1292,
                "Truncated incorrect DOUBLE value: 'secret'",
                "a value does not fit the type of a column",
            ),
            (
                1406,
                "Data too long for column 'note' at row 3",
                "a text or bytes are too long for the column 'note'",
            ),
            (
                1264,
                "Out of range value for column 'n' at row 1",
                "a number is out of the range of the column 'n'",
            ),
        ] {
            assert_eq!(of(code, message).message, wanted);
        }
        let syntax = of(1064, "You have an error near 'secret'");
        assert!(!without_text(syntax).message.contains("secret"));
    }

    #[test]
    fn classes() {
        for (code, class) in [
            (1062, Class::Unique),
            (1213, Class::Serialization),
            (1205, Class::Busy),
            (3572, Class::Busy),
            (1040, Class::Busy),
            (1290, Class::ReadOnly),
            (1114, Class::Full),
            (1026, Class::Other),
            (2013, Class::Gone),
            (1969, Class::Timeout),
            (1146, Class::Other),
        ] {
            assert_eq!(of(code, "said").class, class, "{code}");
            assert_eq!(of(code, "said").code, Some(code.into()));
        }
        for (code, said) in [
            (
                1026,
                "Error writing file 'x' (Errcode: 28 \"No space left on device\")",
            ),
            (1030, "Got error 28 from storage engine"),
        ] {
            assert_eq!(of(code, said).class, Class::Full, "{said}");
        }
        for (code, said, class) in [
            (
                1194,
                "Table '(temporary)' is marked as crashed and should be repaired",
                Class::Busy,
            ),
            (
                1034,
                "Incorrect key file for table '/tmp/#sql-temptable-1-2-3.MAI'; try to repair it",
                Class::Busy,
            ),
            (1114, "The table '(temporary)' is full", Class::Busy),
            (1114, "The table 'journal' is full", Class::Full),
            (
                1194,
                "Table 'journal' is marked as crashed and should be repaired",
                Class::Corrupt,
            ),
        ] {
            assert_eq!(of(code, said).class, class, "{said}");
        }
    }
}
