//! Documents: versions, locking, lists, searches, and the wall between projects.
use runstone_model::ids::{DocumentId, ProjectId};
use runstone_store::{
    Total, Walk,
    document::{Document, DocumentFilter, Draft, Written},
};
use runstone_testkit::on_every_database;

use crate::{Content, at, fresh_id, grown};

pub(crate) fn draft(title: &str, body: &str) -> Draft {
    Draft {
        kind: "plan".to_owned(),
        language: "en".to_owned(),
        title: title.to_owned(),
        body: body.to_owned(),
        ..Draft::default()
    }
}

pub(crate) async fn created(db: &Content, draft: Draft) -> Document {
    let id = DocumentId(fresh_id());
    db.store
        .create_document(db.project, id, draft, at(10))
        .await
        .unwrap()
}

async fn titles(db: &Content, filter: DocumentFilter) -> Vec<String> {
    let total = db.store.count_documents(db.project, &filter).await.unwrap();
    let page = db.store.documents(db.project, &filter, Walk::down(100));
    let page = page.await.unwrap();
    assert_eq!(page.reached, None, "{filter:?}");
    let found = page.found;
    let changed = db
        .store
        .documents_by_update(db.project, &filter, Walk::down(100));
    // Nothing was written a second time in these tests.
    assert_eq!(changed.await.unwrap().found, found, "{filter:?}");
    assert_eq!(
        total,
        Total::Is(found.len().try_into().unwrap()),
        "{filter:?}"
    );
    found.into_iter().map(|document| document.title).collect()
}

fn done(written: Written) -> Document {
    match written {
        Written::Done(document) => *document,
        other => panic!("{other:?}"),
    }
}

on_every_database! {
    async fn every_write_makes_a_version_that_stays_as_it_was(db: &Content) {
        let one = Draft {
            author: Some("Åsa".to_owned()),
            note: Some("first".to_owned()),
            required: vec!["Costs".to_owned()],
            ..draft("Plan 🗺 ", "# Plan\n\nWe move. 👩‍👩‍👧 e\u{301}\n")
        };
        let made = created(db, one.clone()).await;
        assert_eq!((made.version, made.created_at, made.words > 0), (1, at(10), true));
        let two = draft("Plan B", "");
        let written = db.store.write_document(db.project, made.id, 1, two.clone(), at(20)).await;
        let now = done(written.unwrap());
        assert_eq!((now.version, now.created_at, now.updated_at), (2, at(10), at(20)));
        assert_eq!(db.store.document(db.project, made.id).await.unwrap(), Some(now));

        let read = db.store.document_version(db.project, made.id, 1).await.unwrap().unwrap();
        assert_eq!(read.body, Some(one.body));
        assert_eq!((read.title, read.author, read.note), (one.title, one.author, one.note));
        assert_eq!((read.required, read.hash.len()), (one.required, 32));
        assert_eq!(read.quality.findings[0].code, "missing_section");
        assert_eq!(f64::from(read.overall_tenths) / 10.0, read.quality.overall);
        let versions = db.store.document_versions(db.project, made.id, &Walk::down(10)).await.unwrap();
        let numbers: Vec<_> = versions.iter().map(|v| (v.version, v.body.is_none())).collect();
        assert_eq!(numbers, [(2, true), (1, true)]);
        let older = db.store.document_versions(db.project, made.id, &Walk::down(10).beyond(2)).await.unwrap();
        assert_eq!(older.len(), 1);
    }

    async fn of_many_writers_of_one_version_exactly_one_wins(db: &Content) {
        let made = created(db, draft("Plan", "text")).await;
        let writers = (0..16).map(|n| {
            let (store, project) = (db.store.clone(), db.project);
            let draft = draft("Plan", &format!("text {n}"));
            tokio::spawn(async move {
                store.write_document(project, made.id, 1, draft, at(20 + n)).await.unwrap()
            })
        });
        let writers: Vec<_> = writers.collect();
        let mut won = 0;
        for writer in writers {
            match writer.await.unwrap() {
                Written::Done(document) => {
                    assert_eq!(document.version, 2);
                    won += 1;
                }
                Written::Stale { current: 2 } => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(won, 1);
        let versions = db.store.document_versions(db.project, made.id, &Walk::down(10)).await.unwrap();
        assert_eq!(versions.len(), 2);
    }

    async fn a_rollback_is_a_new_version_with_the_old_text(db: &Content) {
        let made = created(db, draft("Old", "old text")).await;
        let new = draft("New", "new text");
        done(db.store.write_document(db.project, made.id, 1, new, at(20)).await.unwrap());
        let by = (Some("Bo".to_owned()), None);
        let back = db.store.rollback_document(db.project, made.id, 2, 1, by, at(30)).await.unwrap();
        assert_eq!((done(back.clone()).version, done(back).title), (3, "Old".to_owned()));
        let three = db.store.document_version(db.project, made.id, 3).await.unwrap().unwrap();
        assert_eq!(three.body.as_deref(), Some("old text"));
        assert_eq!((three.restored_from, three.author.as_deref()), (Some(1), Some("Bo")));
        let none = (None, None);
        let missing = db.store.rollback_document(db.project, made.id, 3, 9, none.clone(), at(40)).await;
        assert_eq!(missing.unwrap(), Written::NoSuchVersion);
        let stale = db.store.rollback_document(db.project, made.id, 1, 1, none, at(40)).await;
        assert_eq!(stale.unwrap(), Written::Stale { current: 3 });
    }

    async fn a_deleted_document_is_restored_or_purged(db: &Content) {
        let made = created(db, draft("Plan", "text")).await;
        let stale = db.store.delete_document(db.project, made.id, 7, at(20)).await.unwrap();
        assert_eq!(stale, Written::Stale { current: 1 });
        assert!(!db.store.purge_document(db.project, made.id).await.unwrap());
        let gone = done(db.store.delete_document(db.project, made.id, 1, at(20)).await.unwrap());
        assert_eq!(gone.deleted_at, Some(at(20)));
        let again = db.store.delete_document(db.project, made.id, 1, at(21)).await.unwrap();
        assert_eq!(again, Written::Deleted);
        let written = db.store.write_document(db.project, made.id, 1, draft("x", "y"), at(22)).await;
        assert_eq!(written.unwrap(), Written::Deleted);
        assert_eq!(titles(db, DocumentFilter::default()).await, Vec::<String>::new());
        let deleted = DocumentFilter { deleted: true, ..DocumentFilter::default() };
        assert_eq!(titles(db, deleted).await, ["Plan"]);

        let back = db.store.restore_document(db.project, made.id, at(30)).await.unwrap().unwrap();
        assert_eq!((back.deleted_at, back.version), (None, 1));
        assert_eq!(db.store.restore_document(db.project, made.id, at(31)).await.unwrap(), None);
        done(db.store.delete_document(db.project, made.id, 1, at(40)).await.unwrap());
        assert!(db.store.purge_document(db.project, made.id).await.unwrap());
        assert_eq!(db.store.document(db.project, made.id).await.unwrap(), None);
        assert_eq!(db.store.document_version(db.project, made.id, 1).await.unwrap(), None);
    }

    async fn another_project_finds_nothing_and_changes_nothing(db: &Content) {
        let made = created(db, draft("Plan", "text")).await;
        let (store, other, id) = (&db.store, db.other, made.id);
        assert_eq!(store.document(other, id).await.unwrap(), None);
        assert_eq!(store.document_version(other, id, 1).await.unwrap(), None);
        assert_eq!(store.document_versions(other, id, &Walk::down(10)).await.unwrap(), []);
        let all = DocumentFilter::default();
        let found = DocumentFilter { phrase: Some("text".to_owned()), ..all.clone() };
        for filter in [all, found] {
            assert_eq!(store.documents(other, &filter, Walk::down(10)).await.unwrap().found, []);
            assert_eq!(store.documents_by_update(other, &filter, Walk::up(10)).await.unwrap().found, []);
            assert_eq!(store.count_documents(other, &filter).await.unwrap(), Total::Is(0));
        }
        let written = store.write_document(other, id, 1, draft("x", "y"), at(20)).await.unwrap();
        assert_eq!(written, Written::Missing);
        let back = store.rollback_document(other, id, 1, 1, (None, None), at(20)).await.unwrap();
        assert_eq!(back, Written::Missing);
        assert_eq!(store.delete_document(other, id, 1, at(20)).await.unwrap(), Written::Missing);
        done(store.delete_document(db.project, id, 1, at(20)).await.unwrap());
        assert_eq!(store.restore_document(other, id, at(30)).await.unwrap(), None);
        assert!(!store.purge_document(other, id).await.unwrap());
        assert!(store.document(db.project, id).await.unwrap().is_some());
    }

    async fn a_search_looks_at_a_bounded_part_of_the_documents_and_says_how_far_it_came(db: &Content) {
        // As if they had texts of 1 MiB: four are a portion, sixty-four are what one request reads.
        let mut ids = vec![created(db, draft("Needle", "text")).await.id];
        for n in 0..70 {
            ids.push(created(db, draft(&format!("Hay {n}"), "text")).await.id);
        }
        grown(&db.store, "documents").await;
        ids.push(created(db, draft("Needle", "text")).await.id);
        assert_eq!(ids.len(), 72);
        let needle = DocumentFilter { phrase: Some("needle".to_owned()), ..DocumentFilter::default() };
        let first = db.store.documents(db.project, &needle, Walk::down(10)).await.unwrap();
        assert_eq!(first.found.iter().map(|one| one.id).collect::<Vec<_>>(), ids[71..]);
        let reached = first.reached.unwrap();
        assert!((1..=10).contains(&ids.iter().position(|id| *id == reached).unwrap()));
        let rest = db.store.documents(db.project, &needle, Walk::down(10).beyond(reached)).await.unwrap();
        assert_eq!(rest.found.iter().map(|one| one.id).collect::<Vec<_>>(), ids[..1]);
        assert_eq!(rest.reached, None);
        // A full page needs no second look, and one that was full is not said to be cut.
        let full = db.store.documents(db.project, &needle, Walk::down(1)).await.unwrap();
        assert_eq!((full.found.len(), full.reached), (1, None));
        let by_update = db.store.documents_by_update(db.project, &needle, Walk::up(10)).await.unwrap();
        assert_eq!(by_update.found.iter().map(|one| one.id).collect::<Vec<_>>(), ids[..1]);
        let (at, id) = by_update.reached.unwrap();
        let rest = Walk::up(10).beyond((at, id));
        let rest = db.store.documents_by_update(db.project, &needle, rest).await.unwrap();
        assert_eq!(rest.found.iter().map(|one| one.id).collect::<Vec<_>>(), ids[71..]);
        let counted = db.store.count_documents(db.project, &needle).await.unwrap();
        assert!(matches!(counted, Total::TooMany(60..=68)), "{counted:?}");
        let all = db.store.count_documents(db.project, &DocumentFilter::default()).await.unwrap();
        assert_eq!(all, Total::Is(72));
        let english = DocumentFilter { language: Some("en".to_owned()), ..DocumentFilter::default() };
        let found = db.store.documents(db.project, &english, Walk::up(100)).await.unwrap();
        assert_eq!((found.found.len(), found.reached), (72, None));
    }

    async fn lists_are_filtered_and_paged_without_gaps(db: &Content) {
        for n in 0..7 {
            let mut draft = draft(&format!("Doc {n}"), "# A\n\nGood short words here.\n");
            draft.kind = if n % 2 == 0 { "plan" } else { "memo" }.to_owned();
            draft.language = if n < 3 { "de" } else { "en" }.to_owned();
            created(db, draft).await;
        }
        created(db, draft("Poor", "")).await;
        let all = DocumentFilter::default();
        let mut seen = Vec::new();
        let mut walk = Walk::down(3);
        loop {
            let page = db.store.documents(db.project, &all, walk.clone()).await.unwrap().found;
            let Some(last) = page.last() else { break };
            walk.beyond = Some(last.id);
            seen.extend(page.into_iter().map(|document| document.title));
        }
        assert_eq!(seen[0], "Poor");
        assert_eq!(seen[1..], [6, 5, 4, 3, 2, 1, 0].map(|n| format!("Doc {n}")));
        // All were changed at the same time, but for one.
        let first = db.store.documents(db.project, &all, Walk::up(1)).await.unwrap().found;
        let rewrite = db.store.write_document(db.project, first[0].id, 1, draft("Doc 0", "New."), at(20));
        done(rewrite.await.unwrap());
        let mut changed = Vec::new();
        let mut walk = Walk::up(3);
        loop {
            let page = db.store.documents_by_update(db.project, &all, walk.clone()).await.unwrap().found;
            let Some(last) = page.last() else { break };
            walk.beyond = Some((last.updated_at, last.id));
            changed.extend(page.into_iter().map(|document| document.title));
        }
        assert_eq!(changed[..6], [1, 2, 3, 4, 5, 6].map(|n| format!("Doc {n}")));
        assert_eq!(changed[6..], ["Poor", "Doc 0"]);
        let back = db.store.write_document(db.project, first[0].id, 2, draft("Doc 0", "# A\n\nGood short words here.\n"), at(10));
        done(back.await.unwrap());
        let memo = DocumentFilter { kind: Some("memo".to_owned()), ..DocumentFilter::default() };
        assert_eq!(titles(db, memo.clone()).await, ["Doc 5", "Doc 3", "Doc 1"]);
        let german = DocumentFilter { language: Some("de".to_owned()), ..memo };
        assert_eq!(titles(db, german).await, ["Doc 1"]);
        let good = DocumentFilter { min_overall_tenths: 500, ..DocumentFilter::default() };
        assert_eq!(titles(db, good).await.len(), 7);
    }

    async fn a_phrase_is_found_in_any_case_and_taken_literally(db: &Content) {
        created(db, draft("Straße", "100% of Ærø [x] a_b !")).await;
        created(db, draft("Other", "100 of aero x ab")).await;
        for phrase in ["STRASSE", "straße", "100% OF", "ærØ", "[X]", "A_B", "!", "% of Æ"] {
            let filter = DocumentFilter {
                phrase: Some(phrase.to_owned()),
                ..DocumentFilter::default()
            };
            let found = titles(db, filter).await;
            let expected: &[&str] = if phrase == "STRASSE" { &[] } else { &["Straße"] };
            assert_eq!(found, expected, "{phrase}");
        }
        let filter = DocumentFilter {
            phrase: Some("100".to_owned()),
            kind: Some("plan".to_owned()),
            ..DocumentFilter::default()
        };
        assert_eq!(titles(db, filter).await.len(), 2);
    }

    async fn the_longest_texts_fit_whatever_their_characters(db: &Content) {
        let long = |chars: usize| "🌍".repeat(chars);
        let longest = Draft {
            kind: long(50),
            language: long(35),
            title: long(300),
            body: "x".to_owned(),
            author: Some(long(300)),
            note: Some(long(500)),
            required: vec![long(300)],
        };
        let made = created(db, longest.clone()).await;
        let read = db.store.document_version(db.project, made.id, 1).await.unwrap().unwrap();
        assert_eq!((read.kind, read.language, read.title), (longest.kind, longest.language, longest.title));
        assert_eq!((read.author, read.note), (longest.author, longest.note));
    }

    async fn a_document_of_a_mebibyte_comes_back_whole(db: &Content) {
        let body = "Grüße aus der Ferne, 🌍. ".repeat(1 << 15);
        let made = created(db, draft("Long", &body)).await;
        let read = db.store.document_version(db.project, made.id, 1).await.unwrap().unwrap();
        assert_eq!(read.body, Some(body));
        assert_eq!(db.project, ProjectId::DEFAULT);
    }
}
