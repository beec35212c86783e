//! Exports: archives whose checksums hold, one builder at a time, gone after a day.
use std::{
    io::{Cursor, Read as _},
    sync::atomic::{AtomicI64, Ordering},
};

use runstone_model::ids::{DocumentId, ExportId};
use runstone_store::{
    Walk,
    export::{CHUNK_BYTES, Export, ExportStatus, KEPT_MS, Selection},
};
use runstone_testkit::on_every_database;
use zip::ZipArchive;

use crate::{
    Content, at,
    documents::{created, draft},
    fresh_id,
};

const DAY_US: i64 = 86_400_000_000;

async fn asked(db: &Content, selection: Selection) -> ExportId {
    let id = ExportId(fresh_id());
    db.store
        .create_export(db.project, id, &selection, at(100))
        .await
        .unwrap();
    id
}

async fn built(db: &Content, now: i64) -> bool {
    db.store.build_export(&move || at(now)).await.unwrap().ready
}

async fn export(db: &Content, id: ExportId) -> Export {
    db.store.export(db.project, id).await.unwrap().unwrap()
}

async fn download(db: &Content, export: &Export, now: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for seq in 0..export.chunks {
        let chunk = db
            .store
            .export_chunk(db.project, export.id, seq, at(now))
            .await
            .unwrap();
        bytes.extend(chunk.unwrap());
    }
    bytes
}

fn sha256(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Text that no compression makes small.
fn noise(seed: u64, bytes: usize) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + u8::try_from(state % 90).unwrap())
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

on_every_database! {
    async fn an_archive_has_every_document_and_its_checksums_hold(db: &Content) {
        for n in 0..20_u32 {
            let mut text = draft(&format!("../Plan/{n} ä"), &noise(n.into(), 40_000));
            text.kind = if n == 3 { "memo" } else { "plan" }.to_owned();
            created(db, text).await;
        }
        let gone = created(db, draft("Gone", "x")).await;
        db.store.delete_document(db.project, gone.id, 1, at(20)).await.unwrap();
        let theirs = DocumentId(fresh_id());
        db.store.create_document(db.other, theirs, draft("Theirs", "x"), at(10)).await.unwrap();
        let id = asked(db, Selection { kind: Some("plan".to_owned()), language: None }).await;
        assert_eq!(export(db, id).await.status, ExportStatus::Pending);
        assert!(built(db, 200).await);

        let ready = export(db, id).await;
        assert_eq!((ready.status, ready.documents), (ExportStatus::Ready, 19));
        assert_eq!(ready.expires_at, Some(at(200 + DAY_US)));
        assert!(ready.chunks > 2, "{ready:?}");
        let bytes = download(db, &ready, 300).await;
        assert_eq!(i64::try_from(bytes.len()).unwrap(), ready.bytes);
        assert_eq!(bytes.len().div_ceil(CHUNK_BYTES), usize::try_from(ready.chunks).unwrap());
        assert_eq!(Some(sha256(&bytes)), ready.sha256);

        let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut manifest = String::new();
        zip.by_name("manifest.json").unwrap().read_to_string(&mut manifest).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        let documents = manifest["documents"].as_array().unwrap();
        assert_eq!((documents.len(), zip.len()), (19, 20));
        assert_eq!(manifest["selection"], serde_json::json!({"type": "plan"}));
        for document in documents {
            let path = document["path"].as_str().unwrap();
            assert!(path.starts_with("documents/plan-") && !path.contains(".."), "{path}");
            let mut text = Vec::new();
            zip.by_name(path).unwrap().read_to_end(&mut text).unwrap();
            assert_eq!(document["sha256"].as_str().unwrap(), sha256(&text));
            assert_eq!(document["bytes"], 40_000);
        }
    }

    async fn an_archive_without_documents_has_its_manifest(db: &Content) {
        let id = asked(db, Selection::default()).await;
        assert!(built(db, 200).await);
        let bytes = download(db, &export(db, id).await, 300).await;
        assert_eq!(ZipArchive::new(Cursor::new(bytes)).unwrap().len(), 1);
        assert!(!built(db, 200).await, "there is nothing left to build");
    }

    async fn downloads_are_counted_until_the_time_is_over(db: &Content) {
        let id = asked(db, Selection::default()).await;
        assert!(built(db, 0).await);
        for _ in 0..3 {
            assert!(db.store.count_download(db.project, id, at(1)).await.unwrap());
        }
        assert_eq!(export(db, id).await.download_count, 3);
        assert_eq!(i64::try_from(KEPT_MS).unwrap() * 1000, DAY_US);
        assert_eq!(db.store.expire_exports(at(DAY_US - 1), 10).await.unwrap(), 0);
        // Over is over, even before the clean-up comes by.
        assert!(!db.store.count_download(db.project, id, at(DAY_US)).await.unwrap());
        assert_eq!(db.store.export_chunk(db.project, id, 0, at(DAY_US)).await.unwrap(), None);
        assert!(db.store.export_chunk(db.project, id, 0, at(DAY_US - 1)).await.unwrap().is_some());
        assert_eq!(db.store.expire_exports(at(DAY_US), 10).await.unwrap(), 1);
        assert_eq!(db.store.expire_exports(at(DAY_US), 10).await.unwrap(), 0);
        assert_eq!(export(db, id).await.status, ExportStatus::Expired);
        assert_eq!(db.store.export_chunk(db.project, id, 0, at(1)).await.unwrap(), None);
        assert!(db.store.delete_export(db.project, id).await.unwrap());
        assert!(!db.store.delete_export(db.project, id).await.unwrap());
    }

    async fn several_builders_build_each_export_once(db: &Content) {
        created(db, draft("Plan", "text")).await;
        for _ in 0..3 {
            asked(db, Selection::default()).await;
        }
        let builders: Vec<_> = (0..4)
            .map(|_| {
                let store = db.store.clone();
                tokio::spawn(async move {
                    let mut ready = 0;
                    loop {
                        let built = store.build_export(&|| at(200)).await.unwrap();
                        ready += u32::from(built.ready);
                        if !built.more {
                            return ready;
                        }
                    }
                })
            })
            .collect();
        let mut ready = 0;
        for builder in builders {
            ready += builder.await.unwrap();
        }
        assert_eq!(ready, 3);
        for export in db.store.exports(db.project, &Walk::down(10)).await.unwrap() {
            assert_eq!((export.status, export.attempt), (ExportStatus::Ready, 1));
        }
    }

    async fn a_builder_that_was_silent_is_replaced_and_can_spoil_nothing(db: &Content) {
        for n in 0..20 {
            created(db, draft("Plan", &noise(n, 40_000))).await;
        }
        let id = asked(db, Selection::default()).await;
        // The first builder's clock stands still for two minutes in the middle of its work, and
        // another one comes by then.
        let calls = AtomicI64::new(0);
        let (store, other) = (db.store.clone(), db.store.clone());
        let (handle, rescued) = (tokio::runtime::Handle::current(), std::sync::Mutex::new(false));
        let clock = || {
            if calls.fetch_add(1, Ordering::Relaxed) == 2 {
                let other = other.clone();
                let done = std::thread::scope(|scope| {
                    let work = || handle.block_on(other.build_export(&|| at(120_000_000)));
                    scope.spawn(work).join().unwrap()
                });
                *rescued.lock().unwrap() = done.unwrap().ready;
            }
            at(0)
        };
        let slow = store.build_export(&clock).await.unwrap();
        assert!(*rescued.lock().unwrap(), "the second builder did not finish");
        assert!(!slow.ready, "{slow:?}");
        let ready = export(db, id).await;
        assert_eq!((ready.status, ready.attempt), (ExportStatus::Ready, 2));
        let bytes = download(db, &ready, 1).await;
        assert_eq!(Some(sha256(&bytes)), ready.sha256);
    }

    async fn another_project_gets_nothing(db: &Content) {
        let id = asked(db, Selection::default()).await;
        assert!(built(db, 200).await);
        let (store, other) = (&db.store, db.other);
        assert_eq!(store.export(other, id).await.unwrap(), None);
        assert_eq!(store.exports(other, &Walk::down(10)).await.unwrap(), []);
        assert_eq!(store.count_exports(other).await.unwrap(), 0);
        assert_eq!(store.export_chunk(other, id, 0, at(300)).await.unwrap(), None);
        assert!(!store.count_download(other, id, at(300)).await.unwrap());
        assert!(!store.delete_export(other, id).await.unwrap());
        assert_eq!(store.count_exports(db.project).await.unwrap(), 1);
    }
}
