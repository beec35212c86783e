//! Reads a whole archive and holds it against itself: its checksums, its order, that every journal
//! is without gaps, that everything referred to is there, and that what is not in it is in the
//! archive before it.
use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    path::PathBuf,
};

use runstone_db::Value;
use runstone_model::run::Status;
use uuid::Uuid;

use super::{
    Archive, BackupError, Meter,
    archive::{ArchiveError, Chunk, Header, Passphrase, Section, Trailer, rows_weight},
    index::{self, Index, disordered, order},
};
use crate::blob;

/// Problems that are told; more tell nothing new.
const MOST: usize = 20;

/// An archive that was read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Its file.
    pub path: PathBuf,
    /// Its manifest.
    pub header: Header,
    /// The counts at its end.
    pub trailer: Trailer,
    /// Its size.
    pub bytes: u64,
    /// Runs in it that were not over.
    pub unfinished: u64,
    /// What is wrong with what it holds, although the archive is whole: the database that it was
    /// taken from was damaged.
    pub problems: Vec<String>,
}

/// Reads `archive`. `parent` is the one that it is an increment to; without it, whether the two fit
/// is not checked.
///
/// # Errors
/// It is damaged, cut off, foreign or newer, the passphrase is wrong, or it does not fit `parent`.
pub fn verify(
    archive: &Archive,
    parent: Option<&Archive>,
    passphrase: Option<&Passphrase>,
    meter: &Meter,
) -> Result<Verified, BackupError> {
    let of = |error| BackupError::of(&archive.path, error);
    let mut reader = index::open(&archive.path, passphrase)?;
    let header = reader.header().clone();
    let parent = match parent.filter(|parent| header.parent == Some(parent.header.id)) {
        Some(parent) => Some(Index::open(&parent.path, passphrase)?),
        None => None,
    };
    let mut check = Check::new(header.parent.is_some(), parent);
    loop {
        let at = reader.position();
        let Some(chunk) = reader.next_chunk().map_err(of)? else {
            break;
        };
        if meter.stopped() {
            return Err(BackupError::Stopped);
        }
        let bytes = chunk.rows.iter().map(|row| rows_weight(row)).sum();
        meter.passed(chunk.section, chunk.rows.len(), bytes);
        meter.stored(reader.position());
        check.chunk(chunk).map_err(|problem| match problem {
            Wrong::Archive(problem) => of(ArchiveError::Malformed {
                at,
                part: "a chunk".to_owned(),
                problem,
            }),
            Wrong::Order => of(disordered(at)),
            Wrong::Parent(error) => error,
        })?;
    }
    check.end().map_err(|problem| {
        of(ArchiveError::Malformed {
            at: reader.position(),
            part: "the end".to_owned(),
            problem,
        })
    })?;
    Ok(Verified {
        path: archive.path.clone(),
        header,
        trailer: reader.trailer().cloned().unwrap_or_default(),
        bytes: reader.position(),
        unfinished: check.unfinished,
        problems: check.problems,
    })
}

enum Wrong {
    /// Its program wrote nonsense.
    Archive(String),
    /// Rows are not in ascending order.
    Order,
    /// The parent is bad.
    Parent(BackupError),
}

impl From<String> for Wrong {
    fn from(problem: String) -> Self {
        Self::Archive(problem)
    }
}

struct Check {
    /// An increment without its parent at hand: what is missing cannot be told.
    unknown: bool,
    parent: Option<Index>,
    /// The last key of each section.
    last: Vec<(Section, Value)>,
    /// Keys whose rows must follow, with the section of the rows.
    owed: VecDeque<(Section, Value)>,
    flows: HashSet<Uuid>,
    versions: HashSet<Uuid>,
    /// The hashes of all blobs there are.
    blobs: HashSet<[u8; 32]>,
    /// The runs of the group at hand, and the rows of the journal that was read last.
    group: HashSet<Uuid>,
    journal: Option<(Uuid, i64)>,
    unfinished: u64,
    problems: Vec<String>,
}

impl Check {
    fn new(incremental: bool, parent: Option<Index>) -> Self {
        Self {
            unknown: incremental && parent.is_none(),
            parent,
            last: Vec::new(),
            owed: VecDeque::new(),
            flows: HashSet::new(),
            versions: HashSet::new(),
            blobs: HashSet::new(),
            group: HashSet::new(),
            journal: None,
            unfinished: 0,
            problems: Vec::new(),
        }
    }

    fn chunk(&mut self, chunk: Chunk) -> Result<(), Wrong> {
        let section = chunk.section;
        if section == Section::Runs {
            self.group.clear();
            self.journal = None;
        }
        for row in chunk.rows {
            match section {
                Section::Flows => self.flows.extend(id(&row[0])),
                Section::FlowVersionIds => {
                    self.ascending(section, &row[0])?;
                    self.versions.extend(id(&row[0]));
                    self.key(section, Section::FlowVersions, &row)?;
                }
                Section::BlobHashes => {
                    self.ascending(section, &row[0])?;
                    let hash = hash(&row[0]).ok_or("a blob's key is not a hash".to_owned())?;
                    self.blobs.insert(hash);
                    self.key(section, Section::Blobs, &row)?;
                }
                Section::RunIds => {
                    self.ascending(section, &row[0])?;
                    self.unfinished += u64::from(row[1] == Value::Null);
                    self.key(section, Section::Runs, &row)?;
                }
                Section::FlowVersions => {
                    self.pay(section, &row[0])?;
                    self.flow_version(&row);
                }
                Section::Blobs => {
                    self.pay(section, &row[0])?;
                    self.blob(&row);
                }
                Section::RunLabels => drop(self.member(&row[3])?),
                Section::Runs => {
                    self.ascending(section, &row[0])?;
                    self.pay(section, &row[0])?;
                    self.run(&row)?;
                }
                Section::Snapshots => self.snapshot(&row)?,
                Section::Journal => self.entry(&row)?,
                // Rows that stand for themselves.
                _ => {}
            }
        }
        Ok(())
    }

    fn end(&self) -> Result<(), String> {
        match self.owed.front() {
            Some((section, _)) if !self.unknown => Err(format!(
                "{} rows of {} or more are missing",
                self.owed.len(),
                section.name()
            )),
            _ => Ok(()),
        }
    }

    fn problem(&mut self, problem: String) {
        if self.problems.len() < MOST {
            self.problems.push(problem);
        }
    }

    fn ascending(&mut self, section: Section, key: &Value) -> Result<(), Wrong> {
        match self.last.iter_mut().find(|(of, _)| *of == section) {
            Some((_, last)) if order(last, key).is_lt() => last.clone_from(key),
            Some(_) => return Err(Wrong::Order),
            None => self.last.push((section, key.clone())),
        }
        Ok(())
    }

    /// A key: its row must follow, unless the parent has it.
    fn key(&mut self, keys: Section, rows: Section, row: &[Value]) -> Result<(), Wrong> {
        if self.unknown {
            return Ok(());
        }
        let there = match &mut self.parent {
            Some(parent) => parent.has(keys, &row[0], row.get(1)),
            None => Ok(false),
        };
        if !there.map_err(Wrong::Parent)? {
            self.owed.push_back((rows, row[0].clone()));
        }
        Ok(())
    }

    fn pay(&mut self, section: Section, key: &Value) -> Result<(), Wrong> {
        if self.unknown {
            return Ok(());
        }
        match self.owed.pop_front() {
            Some((of, owed)) if of == section && owed == *key => Ok(()),
            _ => Err(Wrong::Archive(format!(
                "a row of {} is missing, or one is too many",
                section.name()
            ))),
        }
    }

    fn flow_version(&mut self, row: &[Value]) {
        if let Some(flow) = id(&row[1])
            && !self.flows.contains(&flow)
        {
            self.problem(format!(
                "a version belongs to the flow {flow}, which is not there"
            ));
        }
    }

    fn blob(&mut self, row: &[Value]) {
        let (Value::Text(name), Value::Int(size), Value::Bytes(body)) = (&row[0], &row[1], &row[3])
        else {
            return;
        };
        let place = format!("blob {name}");
        let text = match row[2] {
            Value::Int(0) => Ok(body.clone()),
            _ => blob::decompress(&place, body, usize::try_from(*size).unwrap_or(0)),
        };
        match text {
            Ok(text) if blake3::hash(&text).to_hex().as_str() == name => {}
            Ok(_) => self.problem(format!("the value {name} has another hash")),
            Err(error) => self.problem(error.to_string()),
        }
    }

    fn run(&mut self, row: &[Value]) -> Result<(), Wrong> {
        let Some(run) = id(&row[0]) else {
            return Ok(());
        };
        self.group.insert(run);
        let (Value::Text(status), finished) = (&row[3], &row[7]) else {
            return Ok(());
        };
        let Some(status) = Status::from_name(status) else {
            return Err(Wrong::Archive("a run has an unknown status".to_owned()));
        };
        if status.is_final() != (*finished != Value::Null) {
            self.problem(format!(
                "run {run} has an end and is not over, or the other way"
            ));
        }
        if id(&row[2]).is_some_and(|version| !self.versions.contains(&version)) {
            self.problem(format!("the flow's version of run {run} is not there"));
        }
        for text in &row[11..] {
            self.references(run, text);
        }
        Ok(())
    }

    fn snapshot(&mut self, row: &[Value]) -> Result<(), Wrong> {
        let run = self.member(&row[0])?;
        let (Value::Int(size), Value::Bytes(body)) = (&row[2], &row[3]) else {
            return Ok(());
        };
        let place = format!("the snapshot of run {run}");
        let text = blob::decompress(&place, body, usize::try_from(*size).unwrap_or(0));
        match text.map(String::from_utf8) {
            Ok(Ok(text)) => self.references(run, &Value::Text(text)),
            Ok(Err(_)) => self.problem(format!("{place} is not UTF-8")),
            Err(error) => self.problem(error.to_string()),
        }
        Ok(())
    }

    fn entry(&mut self, row: &[Value]) -> Result<(), Wrong> {
        let run = self.member(&row[0])?;
        let Value::Int(seq) = row[1] else {
            return Ok(());
        };
        let wanted = match self.journal {
            Some((of, last)) if of == run => last + 1,
            Some((of, _)) if of > run => return Err(Wrong::Order),
            _ => 1,
        };
        if seq < wanted {
            return Err(Wrong::Order);
        }
        if seq > wanted {
            self.problem(format!("the journal of run {run} has no row {wanted}"));
        }
        self.journal = Some((run, seq));
        self.references(run, &row[10]);
        Ok(())
    }

    fn member(&self, key: &Value) -> Result<Uuid, Wrong> {
        let run = id(key).filter(|run| self.group.contains(run));
        run.ok_or_else(|| Wrong::Archive("a row belongs to no run of its group".to_owned()))
    }

    fn references(&mut self, run: Uuid, text: &Value) {
        let Value::Text(text) = text else { return };
        let mut hashes = BTreeSet::new();
        blob::collect_hashes(text, &mut hashes);
        for name in hashes {
            let known = hash(&Value::Text(name.clone()));
            if !known.is_some_and(|hash| self.blobs.contains(&hash)) {
                self.problem(format!(
                    "run {run} refers to the value {name}, which is not there"
                ));
            }
        }
    }
}

fn id(value: &Value) -> Option<Uuid> {
    match value {
        Value::Uuid(id) => Some(*id),
        _ => None,
    }
}

fn hash(value: &Value) -> Option<[u8; 32]> {
    match value {
        Value::Text(hex) => blake3::Hash::from_hex(hex).ok().map(Into::into),
        _ => None,
    }
}
