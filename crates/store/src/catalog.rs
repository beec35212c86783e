//! Every statement there is, embedded by name and rendered once for the database at hand. A test
//! holds this list against the folder `sql/`; no other file may hold SQL.
use std::sync::Arc;

use runstone_db::{Dialect, Direction, Leg, RenderError, Statement};

/// One statement's texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    /// `run.insert` for `sql/run/insert.sql`; a page has its own after it, as in `run.ids.next_up`.
    pub(crate) name: &'static str,
    /// The file without its ending, as in `run/insert`.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the tests below"))]
    pub(crate) file: &'static str,
    /// The page that it reads, if it is a list's.
    pub(crate) leg: Option<Leg>,
    /// The neutral text.
    pub(crate) neutral: &'static str,
    /// The texts for the dialects that the neutral one does not serve.
    pub(crate) overrides: &'static [(Dialect, &'static str)],
}

impl Source {
    /// The statement for `dialect`.
    pub(crate) fn render(&self, dialect: Dialect) -> Result<Statement, RenderError> {
        let own = self.overrides.iter().find(|(of, _)| *of == dialect);
        let text = own.map_or(self.neutral, |(_, text)| text);
        match self.leg {
            None => Statement::render(self.name, text, dialect),
            Some(leg) => Statement::render_page(self.name, text, dialect, leg),
        }
    }
}

/// What is rendered one after the other. Never inlined: hundreds of calls stand in one function, and
/// an optimizing compiler took minutes over it.
struct Sources {
    left: std::slice::Iter<'static, Source>,
    dialect: Dialect,
}

impl Sources {
    #[inline(never)]
    fn render(&mut self) -> Result<Arc<Statement>, RenderError> {
        let source = self.left.next().unwrap_or(&SOURCES[0]);
        source.render(self.dialect).map(Arc::new)
    }
}

/// The statements of one list, out of one text.
#[derive(Debug)]
pub(crate) struct Pages {
    first_up: Arc<Statement>,
    next_up: Arc<Statement>,
    first_down: Arc<Statement>,
    next_down: Arc<Statement>,
}

impl Pages {
    #[inline(never)]
    fn render(sources: &mut Sources) -> Result<Box<Self>, RenderError> {
        Ok(Box::new(Self {
            first_up: sources.render()?,
            next_up: sources.render()?,
            first_down: sources.render()?,
            next_down: sources.render()?,
        }))
    }

    /// The one for the first page, or for those behind a key.
    pub(crate) fn at(&self, direction: Direction, first: bool) -> &Statement {
        match (direction, first) {
            (Direction::Up, true) => &self.first_up,
            (Direction::Up, false) => &self.next_up,
            (Direction::Down, true) => &self.first_down,
            (Direction::Down, false) => &self.next_down,
        }
    }
}

macro_rules! dialect {
    (postgres) => {
        Dialect::Postgres
    };
    (mysql) => {
        Dialect::Mysql
    };
    (mssql) => {
        Dialect::Mssql
    };
}

macro_rules! source {
    ($folder:literal, $verb:literal, [$($over:ident)*], $page:literal, $leg:expr) => {
        Source {
            name: concat!($folder, ".", $verb, $page),
            file: concat!($folder, "/", $verb),
            leg: $leg,
            neutral: include_str!(concat!("../sql/", $folder, "/", $verb, ".sql")),
            overrides: &[$((
                dialect!($over),
                include_str!(concat!("../sql/", $folder, "/", $verb, ".", stringify!($over), ".sql")),
            ),)*],
        }
    };
}

macro_rules! catalog {
    (
        statements { $($field:ident: $folder:literal / $verb:literal $($over:ident)*,)+ }
        pages { $($list:ident: $of:literal / $what:literal $($other:ident)*,)+ }
    ) => {
        /// Every statement, rendered.
        #[derive(Debug)]
        pub(crate) struct Catalog {
            $(pub(crate) $field: Arc<Statement>,)+
            $(pub(crate) $list: Box<Pages>,)+
        }

        /// Every statement's texts, in the order of their folders; those of lists come last.
        pub(crate) const SOURCES: &[Source] = &[
            $(source!($folder, $verb, [$($over)*], "", None),)+
            $(
                source!($of, $what, [$($other)*], ".first_up", Some(Leg::ALL[0])),
                source!($of, $what, [$($other)*], ".next_up", Some(Leg::ALL[1])),
                source!($of, $what, [$($other)*], ".first_down", Some(Leg::ALL[2])),
                source!($of, $what, [$($other)*], ".next_down", Some(Leg::ALL[3])),
            )+
        ];

        impl Catalog {
            /// Renders all of them.
            pub(crate) fn render(dialect: Dialect) -> Result<Self, RenderError> {
                let mut sources = Sources {
                    left: SOURCES.iter(),
                    dialect,
                };
                Ok(Self {
                    $($field: sources.render()?,)+
                    $($list: Pages::render(&mut sources)?,)+
                })
            }
        }
    };
}

catalog! {
    statements {
        backup_agent_executions: "backup" / "agent_executions",
        backup_api_keys: "backup" / "api_keys",
        backup_audit: "backup" / "audit",
        backup_blob_sizes: "backup" / "blob_sizes",
        backup_counts: "backup" / "counts",
        backup_delete_projects: "backup" / "delete_projects",
        backup_document_versions: "backup" / "document_versions",
        backup_document_versions_rest: "backup" / "document_versions_rest",
        backup_documents: "backup" / "documents",
        backup_export_chunks: "backup" / "export_chunks",
        backup_export_chunks_rest: "backup" / "export_chunks_rest",
        backup_exports: "backup" / "exports",
        backup_flow_version_ids: "backup" / "flow_version_ids",
        backup_flow_versions: "backup" / "flow_versions",
        backup_flows: "backup" / "flows",
        backup_idempotency: "backup" / "idempotency",
        backup_idempotency_rest: "backup" / "idempotency_rest",
        backup_insert_agent_executions: "backup" / "insert_agent_executions",
        backup_insert_api_keys: "backup" / "insert_api_keys",
        backup_insert_audit: "backup" / "insert_audit",
        backup_insert_document_versions: "backup" / "insert_document_versions",
        backup_insert_documents: "backup" / "insert_documents",
        backup_insert_export_chunks: "backup" / "insert_export_chunks",
        backup_insert_exports: "backup" / "insert_exports",
        backup_insert_flow_versions: "backup" / "insert_flow_versions",
        backup_insert_flows: "backup" / "insert_flows",
        backup_insert_idempotency: "backup" / "insert_idempotency",
        backup_insert_members: "backup" / "insert_members",
        backup_insert_messages: "backup" / "insert_messages",
        backup_insert_projects: "backup" / "insert_projects",
        backup_insert_run_labels: "backup" / "insert_run_labels",
        backup_insert_runs: "backup" / "insert_runs",
        backup_insert_snapshots: "backup" / "insert_snapshots",
        backup_insert_threads: "backup" / "insert_threads",
        backup_journal: "backup" / "journal",
        backup_members: "backup" / "members",
        backup_members_rest: "backup" / "members_rest",
        backup_messages: "backup" / "messages",
        backup_messages_rest: "backup" / "messages_rest",
        backup_others: "backup" / "others",
        backup_projects: "backup" / "projects",
        backup_restore_beat: "backup" / "restore_beat",
        backup_restore_begin: "backup" / "restore_begin",
        backup_restore_end: "backup" / "restore_end",
        backup_restoring: "backup" / "restoring",
        backup_run_ids: "backup" / "run_ids",
        backup_run_labels: "backup" / "run_labels",
        backup_runs: "backup" / "runs",
        backup_threads: "backup" / "threads",
        agent_count: "agent" / "count",
        agent_get: "agent" / "get",
        agent_insert: "agent" / "insert",
        agent_metrics: "agent" / "metrics",
        agent_update: "agent" / "update",
        audit_count: "audit" / "count",
        audit_count_of_project: "audit" / "count_of_project",
        audit_insert: "audit" / "insert",
        blob_by_hashes: "blob" / "by_hashes",
        blob_insert: "blob" / "insert_or_nothing",
        blob_touch: "blob" / "touch",
        doctor_adopt_messages: "doctor" / "adopt_messages",
        doctor_blob_hashes: "doctor" / "blob_hashes",
        doctor_blobs_there: "doctor" / "blobs_there",
        doctor_delete_blobs: "doctor" / "delete_blobs",
        doctor_delete_orphan_chunks: "doctor" / "delete_orphan_chunks",
        doctor_delete_orphan_journal: "doctor" / "delete_orphan_journal",
        doctor_delete_orphan_keys: "doctor" / "delete_orphan_keys",
        doctor_delete_orphan_members: "doctor" / "delete_orphan_members",
        doctor_delete_orphan_snapshot: "doctor" / "delete_orphan_snapshot",
        doctor_delete_snapshot: "doctor" / "delete_snapshot",
        doctor_disown: "doctor" / "disown",
        doctor_documents_page: "doctor" / "documents_page",
        doctor_exports_page: "doctor" / "exports_page",
        doctor_fail_export: "doctor" / "fail_export",
        doctor_integrity: "doctor" / "integrity" postgres mysql mssql,
        doctor_journal_blob_refs: "doctor" / "journal_blob_refs",
        doctor_journal_of: "doctor" / "journal_of",
        doctor_journals: "doctor" / "journals",
        doctor_orphans: "doctor" / "orphans",
        doctor_orphans_of_content: "doctor" / "orphans_of_content",
        doctor_owned_by_dead: "doctor" / "owned_by_dead",
        doctor_recount_steps: "doctor" / "recount_steps",
        doctor_renumber_document: "doctor" / "renumber_document",
        doctor_renumber_thread: "doctor" / "renumber_thread",
        doctor_runs: "doctor" / "runs",
        doctor_runs_page: "doctor" / "runs_page",
        doctor_snapshots: "doctor" / "snapshots",
        doctor_threads_page: "doctor" / "threads_page",
        doctor_unpark: "doctor" / "unpark",
        document_count: "document" / "count",
        document_count_fitting: "document" / "count_fitting",
        document_count_fitting_of_type: "document" / "count_fitting_of_type",
        document_count_versions: "document" / "count_versions",
        document_delete: "document" / "delete",
        document_get: "document" / "get",
        document_ids: "document" / "ids",
        document_insert: "document" / "insert",
        document_insert_version: "document" / "insert_version",
        document_purge: "document" / "purge",
        document_restore: "document" / "restore",
        document_set_deleted: "document" / "set_deleted",
        document_to_export: "document" / "to_export",
        document_update: "document" / "update",
        document_version: "document" / "version",
        export_chunk: "export" / "chunk",
        export_claim: "export" / "claim",
        export_count: "export" / "count",
        export_count_download: "export" / "count_download",
        export_delete: "export" / "delete",
        export_delete_chunks: "export" / "delete_chunks",
        export_expire: "export" / "expire",
        export_expired: "export" / "expired",
        export_finish: "export" / "finish",
        export_get: "export" / "get",
        export_insert: "export" / "insert",
        export_insert_chunk: "export" / "insert_chunk",
        export_progress: "export" / "progress",
        export_waiting: "export" / "waiting",
        flow_count_versions: "flow" / "count_versions",
        flow_delete_unused: "flow" / "delete_unused",
        flow_find: "flow" / "find",
        flow_insert: "flow" / "insert_or_nothing",
        flow_insert_version: "flow" / "insert_version",
        flow_lock: "flow" / "lock",
        flow_newest: "flow" / "newest",
        flow_numbered: "flow" / "numbered",
        flow_version: "flow" / "version",
        flow_version_by_hash: "flow" / "version_by_hash",
        idempotency_find: "idempotency" / "find",
        idempotency_forget: "idempotency" / "forget",
        idempotency_forget_old: "idempotency" / "forget_old",
        idempotency_insert: "idempotency" / "insert_or_nothing",
        journal_count: "journal" / "count",
        journal_delete: "journal" / "delete" mysql,
        journal_heads: "journal" / "heads",
        journal_insert: "journal" / "insert",
        journal_page: "journal" / "page",
        journal_since_snapshot: "journal" / "since_snapshot",
        journal_steps: "journal" / "steps",
        journal_take_over: "journal" / "take_over",
        key_count: "key" / "count",
        key_count_of_project: "key" / "count_of_project",
        key_get: "key" / "get",
        key_insert: "key" / "insert",
        key_revoke: "key" / "revoke",
        key_rotate: "key" / "rotate",
        key_usable: "key" / "usable",
        label_count: "label" / "count",
        label_delete: "label" / "delete",
        label_insert: "label" / "insert",
        label_of_run: "label" / "of_run",
        label_of_runs: "label" / "of_runs",
        member_count: "member" / "count",
        member_delete: "member" / "delete",
        member_get: "member" / "get",
        member_put: "member" / "put",
        message_by_id: "message" / "by_id",
        message_count: "message" / "count",
        message_delete_older: "message" / "delete_older",
        message_get: "message" / "get",
        message_insert: "message" / "insert",
        message_older: "message" / "older",
        message_stats: "message" / "stats",
        project_by_ids: "project" / "by_ids",
        project_by_name: "project" / "by_name",
        project_count: "project" / "count",
        project_count_deleted: "project" / "count_deleted",
        project_count_of_subject: "project" / "count_of_subject",
        project_delete_flows: "project" / "delete_flows",
        project_exists: "project" / "exists",
        project_flows_count: "project" / "flows_count",
        project_get: "project" / "get",
        project_ids: "project" / "ids",
        project_insert: "project" / "insert",
        project_purge: "project" / "purge",
        project_runs_by_status: "project" / "runs_by_status",
        project_runs_in: "project" / "runs_in",
        project_set_deleted: "project" / "set_deleted",
        project_update: "project" / "update",
        run_cancel_requested: "run" / "cancel_requested",
        run_claimable_due: "run" / "claimable_due" mssql,
        run_claimable_one: "run" / "claimable_one" mssql,
        run_claimable_owned: "run" / "claimable_owned" mssql,
        run_claimable_unowned: "run" / "claimable_unowned" mssql,
        run_count: "run" / "count",
        run_count_by_flow: "run" / "count_by_flow" mssql,
        run_dead_owners: "run" / "dead_owners" mysql mssql,
        run_delete: "run" / "delete",
        run_epochs: "run" / "epochs",
        run_facts: "run" / "facts",
        run_finish: "run" / "finish" postgres mysql mssql,
        run_in_brief: "run" / "in_brief",
        run_in_project: "run" / "in_project",
        run_insert: "run" / "insert",
        run_next_wake: "run" / "next_wake",
        run_of_project: "run" / "of_project",
        run_owned: "run" / "owned",
        run_park: "run" / "park" postgres mysql mssql,
        run_records: "run" / "records",
        run_release: "run" / "release",
        run_reopen: "run" / "reopen",
        run_request_cancel: "run" / "request_cancel",
        run_take: "run" / "take",
        server_alive: "server" / "alive",
        server_delete: "server" / "delete",
        server_heartbeat: "server" / "heartbeat",
        snapshot_by_runs: "snapshot" / "by_runs",
        snapshot_upsert: "snapshot" / "upsert" mysql,
        storage_bytes: "storage" / "bytes" postgres mysql mssql,
        storage_rows: "storage" / "rows",
        storage_tables: "storage" / "tables" postgres mysql mssql,
        thread_count: "thread" / "count",
        thread_delete: "thread" / "delete",
        thread_get: "thread" / "get",
        thread_insert: "thread" / "insert",
        thread_last_number: "thread" / "last_number",
        thread_retained: "thread" / "retained",
        thread_take_numbers: "thread" / "take_numbers",
        thread_update: "thread" / "update",
    }
    pages {
        agent_page: "agent" / "page",
        agent_page_of_agent: "agent" / "page_of_agent",
        agent_page_of_correlation: "agent" / "page_of_correlation",
        audit_page: "audit" / "page",
        audit_page_of_project: "audit" / "page_of_project",
        document_count_found: "document" / "count_found" mssql,
        document_count_found_of_type: "document" / "count_found_of_type" mssql,
        document_keys: "document" / "keys",
        document_keys_by_update: "document" / "keys_by_update",
        document_keys_of_type: "document" / "keys_of_type",
        document_search: "document" / "search" mssql,
        document_search_by_update: "document" / "search_by_update" mssql,
        document_search_of_type: "document" / "search_of_type" mssql,
        document_versions: "document" / "versions",
        export_page: "export" / "page",
        flow_page: "flow" / "page",
        flow_versions: "flow" / "versions",
        journal_project_page: "journal" / "project_page",
        key_page: "key" / "page",
        key_page_all: "key" / "page_all",
        key_page_of_project: "key" / "page_of_project",
        label_runs: "label" / "runs",
        member_page: "member" / "page",
        message_count_found: "message" / "count_found" mssql,
        message_count_found_in_project: "message" / "count_found_in_project" mssql,
        message_keys: "message" / "keys",
        message_keys_in_project: "message" / "keys_in_project",
        message_page: "message" / "page",
        message_search: "message" / "search" mssql,
        message_search_project: "message" / "search_project" mssql,
        project_page: "project" / "page" postgres,
        project_page_by_name: "project" / "page_by_name",
        project_page_deleted: "project" / "page_deleted",
        project_page_deleted_of_subject: "project" / "page_deleted_of_subject",
        project_page_of_subject: "project" / "page_of_subject",
        project_page_of_subject_by_name: "project" / "page_of_subject_by_name",
        run_ids: "run" / "ids",
        run_ids_by_flow: "run" / "ids_by_flow" mysql,
        run_ids_by_project: "run" / "ids_by_project",
        run_ids_by_status: "run" / "ids_by_status",
        thread_page: "thread" / "page",
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// Every file under `sql/`, as `run/insert.sql`.
    fn files() -> BTreeSet<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
        let mut files = BTreeSet::new();
        for folder in fs::read_dir(&root).unwrap() {
            for file in fs::read_dir(folder.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                files.insert(
                    path.strip_prefix(&root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                );
            }
        }
        files
    }

    #[test]
    fn every_file_is_in_the_catalog() {
        let mut listed = BTreeSet::new();
        // A list's text stands for four statements.
        let once = |source: &&Source| source.leg.is_none_or(|leg| leg == Leg::ALL[0]);
        for source in SOURCES.iter().filter(once) {
            let path = source.file;
            for (dialect, _) in source.overrides {
                assert!(listed.insert(format!("{path}.{dialect}.sql")));
            }
            assert!(
                listed.insert(format!("{path}.sql")),
                "{} is listed twice",
                source.name
            );
        }
        assert_eq!(listed, files());
    }

    #[test]
    fn every_file_says_what_it_does_and_an_override_says_why() {
        for source in SOURCES {
            assert!(source.neutral.starts_with("-- "), "{}", source.name);
            for (_, own) in source.overrides {
                assert!(own.starts_with("-- Override: "), "{}", source.name);
            }
        }
    }

    #[test]
    fn everything_renders_for_every_database() {
        for dialect in Dialect::ALL {
            let catalog = Catalog::render(dialect).unwrap();
            assert_eq!(catalog.run_insert.name(), "run.insert");
            assert_eq!(catalog.storage_bytes.name(), "storage.bytes");
            let last = catalog.thread_page.at(Direction::Down, false);
            assert_eq!(last.name(), "thread.page.next_down");
        }
    }
}
