//! The format: what was written is read, and whatever else is read is an error that says where.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::io::Read;

use proptest::prelude::*;
use runstone_db::Value;
use uuid::Uuid;

use super::{rows::Taker, *};

/// Cheap to guess, quick to test.
const CHEAP: Cost = Cost {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};

fn header() -> Header {
    Header {
        id: Uuid::from_u128(7),
        parent: None,
        schema_version: 1,
        program: "runstone test".to_owned(),
        source: "sqlite".to_owned(),
        created_at: 1_700_000_000_000_000,
        compression: "zstd".to_owned(),
        encryption: None,
        sections: Vec::new(),
    }
}

fn passphrase() -> Passphrase {
    Passphrase::new("correct horse").unwrap()
}

fn project(number: u128, name: &str) -> Vec<Value> {
    let mut row = vec![
        Value::Uuid(Uuid::from_u128(number)),
        name.into(),
        Value::Int(-3),
        Value::Int(1),
        Value::Int(0),
    ];
    row.resize(Section::Projects.columns().len(), Value::Null);
    row
}

fn blob(number: usize, bytes: usize) -> Vec<Value> {
    let mut noise = blake3::Hasher::new();
    noise.update(&number.to_le_bytes());
    let mut body = vec![0; bytes];
    noise.finalize_xof().fill(&mut body);
    let (size, compressed) = (Value::Int(9), Value::Int(0));
    vec![
        format!("{number:064}").into(),
        size,
        compressed,
        body.into(),
    ]
}

type Rows = Vec<(Section, Vec<Value>)>;

fn some_rows() -> Rows {
    let run = Value::Uuid(Uuid::from_u128(9));
    vec![
        (Section::Projects, project(1, "default")),
        (Section::Projects, project(2, "é漢🦀 \u{1}")),
        (Section::Blobs, blob(1, 3_000_000)),
        (Section::Blobs, blob(2, 10)),
        (Section::RunIds, vec![run.clone(), Value::Null]),
        (
            Section::RunIds,
            vec![Value::Uuid(Uuid::max()), i64::MIN.into()],
        ),
        (
            Section::Snapshots,
            vec![run, 1_i64.into(), 0_i64.into(), Vec::<u8>::new().into()],
        ),
    ]
}

fn written(rows: &Rows, passphrase: Option<&Passphrase>) -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new(), header(), passphrase, CHEAP).unwrap();
    for (section, row) in rows {
        writer.row(*section, row).unwrap();
    }
    let (bytes, trailer, count) = writer.finish().unwrap();
    assert_eq!(count, bytes.len() as u64);
    assert_eq!(trailer.rows.values().sum::<u64>(), rows.len() as u64);
    bytes
}

fn read(input: impl Read, passphrase: Option<&Passphrase>) -> Result<Rows, ArchiveError> {
    let mut reader = Reader::open(input, passphrase)?;
    let mut rows = Vec::new();
    while let Some(chunk) = reader.next_chunk()? {
        rows.extend(chunk.rows.into_iter().map(|row| (chunk.section, row)));
    }
    assert!(reader.trailer().is_some());
    Ok(rows)
}

#[test]
fn what_was_written_is_read() {
    for secret in [None, Some(passphrase())] {
        for rows in [Vec::new(), some_rows()] {
            let bytes = written(&rows, secret.as_ref());
            assert_eq!(read(&bytes[..], secret.as_ref()).unwrap(), rows);
            let header = Header::read(&bytes[..]).unwrap();
            assert_eq!(header.encryption.is_some(), secret.is_some());
            assert_eq!(header.id, Uuid::from_u128(7));
        }
    }
}

#[test]
fn an_encrypted_archive_shows_nothing_of_what_is_in_it() {
    let name = "a project that nobody may know of";
    let rows = vec![(Section::Projects, project(1, name))];
    let bytes = written(&rows, Some(&passphrase()));
    let shows = |bytes: &[u8]| bytes.windows(9).any(|part| part == b"a project");
    assert!(
        shows(&written(&rows, None)),
        "zstd keeps what is too short for it"
    );
    assert!(!shows(&bytes));
    assert_ne!(
        bytes,
        written(&rows, Some(&passphrase())),
        "each has a salt of its own"
    );
}

#[test]
fn a_stream_that_gives_a_byte_at_a_time_is_read_too() {
    struct Slow<'a>(&'a [u8]);
    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let most = into.len().min(1);
            self.0.read(&mut into[..most])
        }
    }
    let rows = vec![(Section::Projects, project(1, "x"))];
    let bytes = written(&rows, None);
    assert_eq!(read(Slow(&bytes), None).unwrap(), rows);
}

#[test]
fn wrong_files_and_passphrases_are_told_apart() {
    let plain = written(&some_rows(), None);
    let sealed = written(&some_rows(), Some(&passphrase()));
    let said = |bytes: &[u8], secret: Option<&str>| {
        let secret = secret.and_then(Passphrase::new);
        read(bytes, secret.as_ref()).unwrap_err().to_string()
    };
    let mut newer = plain.clone();
    newer[8] = 2;
    let mut longer = plain.clone();
    longer.push(0);
    let cut = &plain[..plain.len() / 2];
    let mut flipped = plain.clone();
    flipped[2_000_000] ^= 4;
    let text = "a text file".repeat(99);
    let all = [
        said(b"", None),
        said(text.as_bytes(), None),
        said(b"SQLite format 3\0", None),
        said(&newer, None),
        said(&longer, None),
        said(cut, None),
        said(&plain[..100], None),
        said(&flipped, None),
        said(&sealed, None),
        said(&sealed, Some("wrong horse")),
    ];
    insta::assert_snapshot!(all.join("\n"));
    assert_eq!(
        read(&plain[..], Some(&passphrase())).unwrap(),
        some_rows(),
        "it needs none"
    );
}

#[test]
fn frames_that_were_exchanged_are_refused_although_their_checksums_are_right() {
    let secret = passphrase();
    let one = written(&vec![(Section::Projects, project(1, "one"))], Some(&secret));
    let two = written(&vec![(Section::Projects, project(1, "two"))], Some(&secret));
    // The head of the one and the frames of the other.
    let length = u32::from_le_bytes(one[12..16].try_into().unwrap());
    let head = 16 + usize::try_from(length).unwrap() + HASH;
    let mixed = [&one[..head], &two[head..]].concat();
    assert!(matches!(
        read(&mixed[..], Some(&secret)),
        Err(ArchiveError::PassphraseWrong)
    ));
}

#[test]
fn sections_that_are_not_wanted_are_counted_and_not_unpacked() {
    let bytes = written(&some_rows(), None);
    let mut reader = Reader::open(&bytes[..], None).unwrap();
    reader.only(&[Section::RunIds]);
    let chunk = reader.next_chunk().unwrap().unwrap();
    assert_eq!((chunk.section, chunk.rows.len()), (Section::RunIds, 2));
    assert_eq!(reader.next_chunk().unwrap(), None);
    let trailer = reader.trailer().unwrap();
    assert_eq!(
        (
            trailer.count(Section::Blobs),
            trailer.count(Section::Journal)
        ),
        (2, 0)
    );
}

#[test]
fn columns_are_found_by_their_names() {
    let mut head = header();
    head.sections = Header::our_sections();
    head.sections[0].columns.reverse();
    let layout = head.layout().unwrap();
    assert_eq!(layout[0].places[..3], [8, 7, 6]);
    head.sections[0].columns.pop();
    assert!(head.layout().unwrap_err().contains("lacks the column `id`"));
    head.sections[0].columns.push("colour".to_owned());
    assert!(head.layout().unwrap_err().contains("no column `colour`"));
}

#[test]
fn every_single_bit_of_a_small_archive_is_under_a_checksum() {
    for secret in [None, Some(passphrase())] {
        let rows = vec![(Section::Projects, project(1, "x"))];
        let bytes = written(&rows, secret.as_ref());
        for at in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[at / 8] ^= 1 << (at % 8);
            assert!(read(&bad[..], secret.as_ref()).is_err(), "bit {at}");
        }
        for length in 0..bytes.len() {
            assert!(
                read(&bytes[..length], secret.as_ref()).is_err(),
                "{length} bytes"
            );
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Int),
        any::<String>().prop_map(Value::Text),
        any::<Vec<u8>>().prop_map(Value::Bytes),
        any::<u128>().prop_map(|id| Value::Uuid(Uuid::from_u128(id))),
    ]
}

proptest! {
    #[test]
    fn any_row_is_read_back(row in prop::collection::vec(value(), 0..6)) {
        let mut bytes = Vec::new();
        rows::put(&row, &mut bytes).unwrap();
        let mut taker = Taker::new(&bytes);
        prop_assert_eq!(taker.row(row.len()).unwrap(), row);
        prop_assert!(taker.is_empty());
    }

    #[test]
    fn any_bytes_are_rows_or_an_error(bytes in any::<Vec<u8>>(), width in 1_usize..9) {
        let mut taker = Taker::new(&bytes);
        while !taker.is_empty() {
            if taker.row(width).is_err() {
                break;
            }
        }
    }

    #[test]
    fn any_file_is_read_to_an_error(bytes in any::<Vec<u8>>(), head in any::<bool>()) {
        let magic = if head { &MAGIC[..] } else { b"" };
        let file = [magic, &bytes].concat();
        prop_assert!(read(&file[..], None).is_err());
        prop_assert!(Header::read(&file[..]).is_err());
    }

    #[test]
    fn damage_anywhere_is_an_error(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
        more in prop::collection::vec(any::<u8>(), 0..3),
        encrypted in any::<bool>(),
    ) {
        let secret = encrypted.then(passphrase);
        let rows = vec![
            (Section::Projects, project(1, "default")),
            (Section::Blobs, blob(1, 5000)),
            (Section::RunIds, vec![Value::Uuid(Uuid::nil()), Value::Null]),
        ];
        let sound = written(&rows, secret.as_ref());
        let mut bad = sound.clone();
        for (at, with) in flips {
            let at = at.index(bad.len());
            bad[at] ^= with;
        }
        if let Some(cut) = cut {
            bad.truncate(cut.index(bad.len()));
        }
        bad.extend(more);
        let done = read(&bad[..], secret.as_ref());
        prop_assert_eq!(done.is_ok(), bad == sound);
    }

    /// Sound checksums around nonsense: what is inside is not believed either.
    #[test]
    fn nonsense_under_right_checksums_is_an_error(inside in any::<Vec<u8>>(), rows in 0_u32..4) {
        let mut file = written(&Vec::new(), None);
        let length = u32::from_le_bytes(file[12..16].try_into().unwrap());
        file.truncate(16 + usize::try_from(length).unwrap() + HASH);
        for (number, kind) in [(0, frame::Type::Begin), (1, frame::Type::Rows)] {
            let plain = if number == 0 { &[][..] } else { &inside };
            let mut payload = u32::try_from(plain.len()).unwrap().to_le_bytes().to_vec();
            payload.extend(zstd::bulk::compress(plain, 1).unwrap());
            let length = u32::try_from(payload.len()).unwrap();
            let head = frame::Head { kind, section: 20, number, rows, length }.bytes();
            let hash = frame::hash(&head, &payload);
            for part in [&head[..], &payload, &hash] {
                file.extend(part);
            }
        }
        let error = read(&file[..], None).unwrap_err();
        prop_assert!(error.is_damage(), "{}", error);
    }
}

/// Columns that no archive has, and why.
const LEFT_OUT: [(&str, &str); 4] = [
    ("servers", "*"),             // processes of now
    ("runs", "owner_id"),         // nobody owns what is restored
    ("blobs", "touched_at"),      // restoring touches it
    ("runstone_migrations", "*"), // the target has its own
];

/// Whoever adds a table or a column must say here what becomes of it in a backup.
#[test]
fn archives_hold_every_table_and_column_of_the_schema() {
    let schema = crate::schema::schema_text(runstone_db::Dialect::Sqlite);
    let database = rusqlite::Connection::open_in_memory().unwrap();
    database.execute_batch(schema).unwrap();
    let sql = "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c \
               WHERE m.type = 'table'";
    let mut statement = database.prepare(sql).unwrap();
    let columns = statement
        .query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })
        .unwrap();
    let mut count = 0;
    for column in columns {
        let (table, column) = column.unwrap();
        let left_out = LEFT_OUT
            .iter()
            .any(|(of, name)| *of == table && (*name == "*" || *name == column));
        let section = Section::from_name(&table).filter(|section| section.is_table());
        let held = section.is_some_and(|s| s.columns().iter().any(|own| own.name == column));
        assert!(
            held != left_out,
            "{table}.{column} must be in a section of an archive (archive/tables.rs) and in the \
             statements sql/backup/*, or be left out here"
        );
        count += 1;
    }
    assert!(count > 100, "{count} columns");
}
