//! Restores that cannot be, and restores that were broken off.
use std::sync::Arc;

use runstone_model::time::Timestamp;
use runstone_store::{
    OpenError, OpenOptions, SqlStore,
    backup::{BackupError, Meter, Restore, restore},
};
use runstone_testkit::{on_databases, servers::Fresh};

use crate::{
    archives::{leading_to, passphrase, take, try_restore},
    filling::{Filled, open},
};

on_databases! {
    [sqlite Sqlite, postgres Postgres, mariadb Mariadb, mysql Mysql, mssql Mssql]
    async fn slow_a_restore_that_was_broken_off_locks_the_database_until_it_is_made_anew(to: Fresh) {
        let from = Fresh::on(runstone_testkit::servers::TestDatabase::Sqlite).await.unwrap();
        let store = open(from.url()).await;
        let filled = Filled::new(&store).await;
        take(&store, from.folder(), "a.rsb", None).await;
        filled.engine.stop();
        let chain = leading_to(from.folder(), "a.rsb");

        // The clock stands still at first: a restore is dead when it was not heard of for long.
        let now = Arc::new(std::sync::atomic::AtomicI64::new(1_000_000_000));
        let clock = Arc::clone(&now);
        let request = Restore {
            url: to.url().to_owned(),
            chain: chain.clone(),
            passphrase: passphrase(),
            who: "a test".to_owned(),
            clock: Arc::new(move || Timestamp(clock.load(std::sync::atomic::Ordering::Relaxed))),
        };
        let meter = Arc::new(Meter::default());
        let stop = Arc::clone(&meter);
        let broken = restore(request.clone(), &meter, move || stop.stop()).await;
        assert!(matches!(broken, Err(BackupError::Stopped)), "{broken:?}");

        let opened = SqlStore::open(to.url(), OpenOptions::default()).await;
        assert_eq!(opened.err(), Some(OpenError::HalfRestored));
        let opened = SqlStore::open(to.url(), OpenOptions { migrate: true, ..OpenOptions::default() });
        assert_eq!(opened.await.err(), Some(OpenError::HalfRestored));

        let again = restore(request.clone(), &Arc::default(), || {}).await;
        if to.dialect() != runstone_db::Dialect::Sqlite {
            // On a server it may still be at work.
            let error = again.unwrap_err();
            assert!(matches!(error, BackupError::Occupied(_)), "{error}");
            now.fetch_add(60_000_000, std::sync::atomic::Ordering::Relaxed);
            restore(request, &Arc::default(), || {}).await.unwrap();
        }
        let target = open(to.url()).await;
        let findings = target.doctor(Timestamp(i64::MAX)).await.unwrap();
        assert!(findings.is_empty(), "{findings:#?}");
        target.close().await;

        let full = try_restore(to.url(), chain).await.unwrap_err();
        assert!(matches!(full, BackupError::NotEmpty { .. }), "{full}");
        assert!(full.to_string().contains("5 flows"), "{full}");
        open(to.url()).await.close().await;
    }
}
