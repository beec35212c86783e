//! Many who want projects at the same time share statements: each gets its own answer all the same.
use futures::future::join_all;
use runstone_db::Dialect;
use runstone_model::ids::ProjectId;
use runstone_store::{ProjectText, ProjectWrite};
use runstone_testkit::on_every_database;

use crate::{Content, at, fresh_id};

fn named(name: String) -> ProjectText {
    ProjectText {
        name,
        settings: Some(r#"{"a":1}"#.to_owned()),
        ..ProjectText::default()
    }
}

on_every_database! {
    async fn each_of_many_gets_the_project_it_asked_for(db: &Content) {
        let store = &db.store;
        let ids: Vec<ProjectId> = (0..300).map(|_| ProjectId(fresh_id())).collect();
        let made = ids.iter().enumerate().map(|(n, id)| {
            let made = store.insert_project(*id, named(format!("p{n}")), at(7));
            async move { made.await.unwrap() }
        });
        assert!(
            join_all(made)
                .await
                .iter()
                .all(|made| *made == ProjectWrite::Done)
        );
        // Each twice, and as many that are not there.
        let asked = ids.iter().chain(&ids).map(|id| store.project(*id));
        let missing = (0..100).map(|_| store.project(ProjectId(fresh_id())));
        let (found, none) = tokio::join!(join_all(asked), join_all(missing));
        for (n, (id, found)) in ids.iter().chain(&ids).zip(found).enumerate() {
            let found = found.unwrap().unwrap();
            assert_eq!((found.id, found.name), (*id, format!("p{}", n % ids.len())));
            assert_eq!((found.version, found.created_at), (1, at(7)));
            assert_eq!(found.settings.as_deref(), Some(r#"{"a":1}"#));
            assert_eq!(found.description, None);
        }
        assert!(none.into_iter().all(|none| none.unwrap().is_none()));
    }

    async fn a_name_that_is_taken_spoils_nobody_elses_project(db: &Content) {
        let store = &db.store;
        // Every name three times, all at once: one of each is made.
        let made = (0..120).map(|n| {
            let id = ProjectId(fresh_id());
            let made = store.insert_project(id, named(format!("p{}", n % 40)), at(7));
            async move { (n % 40, id, made.await.unwrap()) }
        });
        let made = join_all(made).await;
        for name in 0..40 {
            let of_name = || made.iter().filter(|(of, ..)| *of == name);
            let done: Vec<_> = of_name()
                .filter(|(.., write)| *write == ProjectWrite::Done)
                .collect();
            let taken = of_name().filter(|(.., write)| *write == ProjectWrite::NameTaken);
            assert_eq!((done.len(), taken.count()), (1, 2), "p{name}");
            let there = store.project_by_name(&format!("p{name}")).await.unwrap();
            assert_eq!(there.unwrap().id, done[0].1);
        }
    }

    async fn a_name_that_the_column_cannot_hold_spoils_nobody_elses_project(db: &Content) {
        let store = &db.store;
        // Elsewhere the column has no length.
        let bounded = matches!(store.database().dialect(), Dialect::Mysql | Dialect::Mssql);
        let made = (0..24).map(|n| {
            let length = if n == 7 { 500 } else { 3 };
            let text = named(format!("{n:02}{}", "x".repeat(length)));
            let made = store.insert_project(ProjectId(fresh_id()), text, at(7));
            async move { (n, made.await) }
        });
        for (n, made) in join_all(made).await {
            match made {
                Err(error) => assert!(n == 7 && bounded, "{n}: {error}"),
                Ok(written) => {
                    assert_eq!(written, ProjectWrite::Done);
                    assert!(n != 7 || !bounded, "a name was cut");
                }
            }
        }
    }

    async fn what_is_made_is_found_by_whoever_asks_afterwards(db: &Content) {
        let store = &db.store;
        let lanes = (0..32).map(|lane| async move {
            for n in 0..10 {
                let id = ProjectId(fresh_id());
                let before = store.project(id).await.unwrap();
                let text = named(format!("lane {lane}, {n}"));
                store.insert_project(id, text, at(n)).await.unwrap();
                let after = store.project(id).await.unwrap();
                assert_eq!((before, after.map(|after| after.id)), (None, Some(id)));
            }
        });
        join_all(lanes).await;
    }
}

#[tokio::test]
async fn who_leaves_while_waiting_takes_nothing_away_from_others() {
    use runstone_testkit::servers::{Fixture as _, TestDatabase};
    let content = Content::open(TestDatabase::Sqlite).await.unwrap();
    let store = &content.store;
    let id = ProjectId(fresh_id());
    store
        .insert_project(id, named("one".to_owned()), at(1))
        .await
        .unwrap();
    let patient = (0..200).map(|_| store.project(id));
    let impatient = (0..200).map(|_| async {
        // Polled once, which queues it, and dropped.
        futures::future::poll_immediate(store.project(id)).await
    });
    let (found, _) = tokio::join!(join_all(patient), join_all(impatient));
    assert!(found.into_iter().all(|found| found.unwrap().is_some()));
}
