//! The doctor finds what was broken in documents, threads, exports, keys and members, mends what is
//! safe, and finds nothing in what is whole.
use runstone_db::{Dialect, Statement, Value};
use runstone_model::ids::{DocumentId, ExportId, MessageId, ServerId, ThreadId};
use runstone_store::{
    Examination, Finding, Fix, Severity,
    document::{Draft, Written},
    export::Selection,
    thread::{NewMessage, ThreadText},
};
use runstone_testkit::on_every_database;
use uuid::Uuid;

use crate::{
    Content, at,
    documents::{created, draft},
    fresh_id,
};

async fn examine(db: &Content, fix: bool) -> Vec<Finding> {
    let fix = fix.then(|| Fix {
        server: ServerId(fresh_id()),
        now: at(1_000),
    });
    let how = Examination {
        expired_before: at(0),
        untouched_since: at(0),
        fix,
        folds: None,
        progress: &|_| {},
    };
    let found = db.store.examine(how).await.unwrap();
    // To do damage a test may have to change the schema.
    found
        .into_iter()
        .filter(|finding| finding.check != "schema")
        .collect()
}

/// The one finding, which names `check` and says `told`.
fn only<'a>(findings: &'a [Finding], check: &str, told: &str) -> &'a Finding {
    assert_eq!(findings.len(), 1, "{told}: {findings:#?}");
    assert_eq!(findings[0].check, check, "{findings:#?}");
    assert!(findings[0].message.contains(told), "{told}: {findings:#?}");
    &findings[0]
}

/// That the one finding is mended, and nothing is found after that.
async fn mended(db: &Content, check: &str, told: &str, done: &str) {
    assert!(only(&examine(db, false).await, check, told).fixed.is_none());
    let found = examine(db, true).await;
    let fixed = only(&found, check, told).fixed.clone().unwrap_or_default();
    assert!(fixed.contains(done), "{fixed}");
    assert_eq!(examine(db, false).await, []);
}

/// That the one finding stays, whatever is done.
async fn stays(db: &Content, check: &str, told: &str) {
    for fix in [false, true, false] {
        let found = examine(db, fix).await;
        let found = only(&found, check, told);
        assert!(
            found.is_open() && found.severity == Severity::Error,
            "{found:?}"
        );
    }
}

/// Executes one statement of the test's own.
async fn sql(db: &Content, text: &str, params: &[(&str, Value)]) -> u64 {
    let database = db.store.database();
    let statement = Statement::render("test", text, database.dialect()).unwrap();
    database.execute(&statement, params).await.unwrap()
}

fn of(id: Uuid) -> [(&'static str, Value); 1] {
    [("id", Value::Uuid(id))]
}

/// Takes a foreign key away, so that what it forbids can be written; answers how it comes back.
async fn lift(db: &Content, table: &str, key: &str, parent: &str) -> String {
    let name = match db.store.database().dialect() {
        Dialect::Sqlite => {
            sql(db, "PRAGMA foreign_keys = 0", &[]).await;
            return "PRAGMA foreign_keys = 1".to_owned();
        }
        Dialect::Postgres => format!("{table}_{key}_fkey"),
        Dialect::Mysql | Dialect::Mssql => format!("{table}_of_{}", parent.trim_end_matches('s')),
    };
    sql(
        db,
        &format!("ALTER TABLE {table} DROP CONSTRAINT {name}"),
        &[],
    )
    .await;
    format!(
        "ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({key}) REFERENCES {parent} (id) \
         ON DELETE CASCADE"
    )
}

/// A document of three versions.
async fn document(db: &Content) -> DocumentId {
    let id = created(db, draft("One", "# One\n")).await.id;
    for (version, title) in [(1, "Two"), (2, "Three")] {
        let draft: Draft = draft(title, "# Text\n");
        let written = db
            .store
            .write_document(db.project, id, version, draft, at(20))
            .await;
        assert!(matches!(written.unwrap(), Written::Done(_)));
    }
    id
}

fn message(text: &str) -> NewMessage {
    NewMessage {
        id: MessageId(fresh_id()),
        role: "user".to_owned(),
        name: None,
        run: None,
        content: format!("\"{text}\""),
        text: text.to_owned(),
        metadata: None,
    }
}

/// A thread of four messages.
async fn thread(db: &Content, retain_ms: Option<i64>) -> ThreadId {
    let text = ThreadText {
        title: "Talk".to_owned(),
        metadata: None,
        retain_ms,
    };
    let id = ThreadId(fresh_id());
    db.store
        .create_thread(db.project, id, text, at(5))
        .await
        .unwrap();
    add(db, id, &["a", "b", "c", "d"]).await;
    id
}

async fn add(db: &Content, id: ThreadId, texts: &[&str]) {
    let messages = texts.iter().map(|text| message(text)).collect();
    let added = db
        .store
        .append_messages(db.project, id, messages, at(10))
        .await;
    added.unwrap().unwrap();
}

/// An archive that can be downloaded.
async fn export(db: &Content) -> ExportId {
    let id = ExportId(fresh_id());
    let all = Selection::default();
    db.store
        .create_export(db.project, id, &all, at(100))
        .await
        .unwrap();
    assert!(db.store.build_export(&|| at(200)).await.unwrap().ready);
    id
}

on_every_database! {
    async fn what_is_whole_has_no_findings(db: &Content) {
        document(db).await;
        thread(db, None).await;
        // Messages that went by their age are no gap.
        let old = thread(db, Some(1)).await;
        let pruned = db.store.prune_messages(at(1_000_000), 10).await.unwrap();
        assert_eq!(pruned.messages, 4);
        add(db, old, &["e"]).await;
        export(db).await;
        assert_eq!(examine(db, false).await, []);
        assert_eq!(examine(db, true).await, []);
    }

    async fn a_version_that_is_gone_is_found_and_left(db: &Content) {
        let DocumentId(id) = document(db).await;
        sql(db, "DELETE FROM document_versions WHERE document_id = :id AND version = 2", &of(id))
            .await;
        let told = format!("document {id} is at version 3; 2 versions are there, the newest is 3");
        stays(db, "document_gaps", &told).await;
        sql(db, "DELETE FROM document_versions WHERE document_id = :id", &of(id)).await;
        stays(db, "document_gaps", "0 versions are there").await;
    }

    async fn a_document_takes_its_newest_version(db: &Content) {
        let document = document(db).await;
        let back = "UPDATE documents SET version = 1, title = 'One' WHERE id = :id";
        sql(db, back, &of(document.0)).await;
        let told = format!("document {document} says version 1, its newest is 3");
        mended(db, "counters", &told, &format!("document {document} is at version 3 now")).await;
        let found = db.store.document(db.project, document).await.unwrap().unwrap();
        assert_eq!((found.version, found.title.as_str()), (3, "Three"));
    }

    async fn a_message_that_is_gone_is_found_and_left(db: &Content) {
        let ThreadId(id) = thread(db, None).await;
        sql(db, "DELETE FROM messages WHERE thread_id = :id AND seq = 2", &of(id)).await;
        stays(db, "message_gaps", &format!("thread {id} has 3 messages from 1 to 4")).await;
        sql(db, "DELETE FROM messages WHERE thread_id = :id AND seq <> 1", &of(id)).await;
        stays(db, "message_gaps", "has 1 messages from 1 to 1 and has given out the number 4").await;
    }

    async fn a_thread_goes_on_after_its_newest_message(db: &Content) {
        let thread = thread(db, None).await;
        sql(db, "UPDATE threads SET last_seq = 2 WHERE id = :id", &of(thread.0)).await;
        let told = format!("thread {thread} says its last message is 2, it is 4");
        mended(db, "counters", &told, &format!("thread {thread} goes on after 4")).await;
        add(db, thread, &["e"]).await;
        assert_eq!(examine(db, false).await, []);
    }

    async fn messages_get_the_project_of_their_thread_back(db: &Content) {
        let thread = thread(db, None).await;
        let params = [("id", thread.0.into()), ("other", db.other.0.into())];
        let away = "UPDATE messages SET project_id = :other WHERE thread_id = :id AND seq > 2";
        sql(db, away, &params).await;
        let told = format!("2 messages of thread {thread} name another project");
        mended(db, "strangers", &told, "have its project now").await;
    }

    async fn an_export_without_its_bytes_has_failed(db: &Content) {
        document(db).await;
        let export = export(db).await;
        sql(db, "DELETE FROM export_chunks WHERE export_id = :id", &of(export.0)).await;
        let told = format!("export {export} has 0 of its 1 pieces");
        mended(db, "exports", &told, &format!("export {export} has failed")).await;
        let found = db.store.export(db.project, export).await.unwrap().unwrap();
        assert_eq!(found.status.name(), "failed");
    }

    async fn what_is_left_of_an_expired_export_is_deleted(db: &Content) {
        document(db).await;
        let export = export(db).await;
        sql(db, "UPDATE exports SET status = 'expired' WHERE id = :id", &of(export.0)).await;
        let told = format!("export {export} is expired and 1 pieces are left of it");
        mended(db, "exports", &told, "deleted 1 pieces").await;
    }

    async fn members_and_keys_of_no_project_are_deleted_and_documents_are_not(db: &Content) {
        let gone = fresh_id();
        let back = lift(db, "members", "project_id", "projects").await;
        let insert = "INSERT INTO members (project_id, subject, role, created_at)
                      VALUES (:id, 'ada', 'owner', 1)";
        sql(db, insert, &of(gone)).await;
        let told = format!("rows of members belong to the project {gone}, which is not there");
        mended(db, "orphans", &told, "deleted the rows of members").await;
        sql(db, &back, &[]).await;

        let back = lift(db, "api_keys", "project_id", "projects").await;
        let insert = "INSERT INTO api_keys (id, project_id, role, name, secret_hash, created_at)
                      VALUES (:id, :id, 'owner', 'x', :hash, 1)";
        let params = [("id", gone.into()), ("hash", Value::Bytes(vec![7; 32]))];
        sql(db, insert, &params).await;
        let told = format!("rows of api_keys belong to the project {gone}");
        mended(db, "orphans", &told, "deleted the rows of api_keys").await;
        sql(db, &back, &[]).await;

        let DocumentId(id) = document(db).await;
        lift(db, "documents", "project_id", "projects").await;
        let params = [("id", id.into()), ("gone", gone.into())];
        sql(db, "UPDATE documents SET project_id = :gone WHERE id = :id", &params).await;
        stays(db, "orphans", &format!("rows of documents belong to the project {gone}")).await;
    }
}
