//! What people see of the server's words.
use super::answered;
use crate::Class;

#[test]
fn the_class_is_right_and_no_row_is_quoted() {
    let said = [
        (
            2627,
            "Violation of PRIMARY KEY constraint 'item_pk'. Cannot insert duplicate key in object 'dbo.item'. The duplicate key value is (secret).",
        ),
        (
            2628,
            "String or binary data would be truncated in table 'runs.dbo.item', column 'note'. Truncated value: 'secret'.",
        ),
        (
            245,
            "Conversion failed when converting the nvarchar value 'secret' to data type int.",
        ),
        (
            220,
            "Arithmetic overflow error for data type tinyint, value = 300.",
        ),
        (
            1205,
            "Transaction (Process ID 52) was deadlocked on lock resources with another process and has been chosen as the deadlock victim. Rerun the transaction.",
        ),
        (1222, "Lock request time out period exceeded."),
        (
            9002,
            "The transaction log for database 'runs' is full due to 'LOG_BACKUP'.",
        ),
        (
            3906,
            "Failed to update database \"runs\" because the database is read-only.",
        ),
        (
            547,
            "The INSERT statement conflicted with the CHECK constraint \"runs_steps\".",
        ),
    ];
    let shown: Vec<String> = said
        .iter()
        .map(|(number, words)| {
            let error = answered(*number, 16, words);
            assert_eq!(error.code, Some(*number));
            format!("{:?}: {error}", error.class)
        })
        .collect();
    let shown = shown.join("\n");
    assert!(
        !shown.contains("secret") && !shown.contains("300"),
        "{shown}"
    );
    insta::assert_snapshot!(shown);
}

#[test]
fn what_is_fatal_is_gone() {
    assert_eq!(answered(12_345, 20, "so severe").class, Class::Gone);
    assert_eq!(answered(12_345, 16, "no such table").class, Class::Other);
}
