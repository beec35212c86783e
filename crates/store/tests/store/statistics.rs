//! What became of a flow's runs: the newest of a window, of all versions, up to a cap.
use runstone_model::{
    ids::{FlowVersionId, ProjectId, RunId},
    run::Status,
    time::Timestamp,
};
use runstone_store::{Commit, NewFlow, RunRecord, SqlStore, Store as _};
use runstone_testkit::on_every_database;
use uuid::Uuid;

use crate::harness::{TestDb, at, create, flow, fresh, run_id, update};

/// 2026, in microseconds.
const BASE: i64 = 1_767_225_600_000_000;
const SECOND: i64 = 1_000_000;

async fn version(store: &SqlStore, text: &str) -> FlowVersionId {
    let flow = NewFlow {
        project: ProjectId::DEFAULT,
        name: "f".to_owned(),
        definition: text.to_owned(),
        id: FlowVersionId(fresh()),
        created_at: at(1),
    };
    store.put_flow(flow).await.unwrap().id
}

/// A run that was created `second` seconds after the base, and its id of that time.
fn at_second(flow: FlowVersionId, second: i64, status: Option<Status>) -> Commit {
    let created = Timestamp(BASE + second * SECOND);
    let first = SqlStore::first_id_at(created).as_u128();
    let id = RunId(Uuid::from_u128(first | (7 << 76) | (2 << 62) | 1));
    let mut commit = create(id, flow, None);
    if let Some(create) = &mut commit.create {
        create.created_at = created;
    }
    commit.update = status.map(|status| {
        let mut update = update(status);
        update.finished_at = Some(Timestamp(created.0 + 5 * SECOND));
        update
    });
    commit
}

on_every_database! {
    async fn the_newest_runs_of_all_versions_are_found_page_by_page(db: &TestDb) {
        let store = db.store().await;
        let (one, two) = (version(&store, "{\"v\":1}").await, version(&store, "{\"v\":2}").await);
        let other = flow(&store, "other").await;
        let commits = (0..450).map(|n| {
            let (of, status) = match n % 9 {
                0 => (two, Some(Status::Failed)),
                1 => (other, None),
                2 => (one, None),
                _ => (one, Some(Status::Completed)),
            };
            store.commit(at_second(of, n, status))
        });
        for done in futures::future::join_all(commits).await {
            done.unwrap();
        }
        let found = async |since: i64, until: i64, most| {
            let window = (at(BASE + since * SECOND), at(BASE + until * SECOND));
            let found = store.flow_facts(ProjectId::DEFAULT, "f", window, most).await;
            found.unwrap().unwrap()
        };
        let all = found(0, 450, 20_000).await;
        assert_eq!((all.runs.len(), all.truncated), (400, false));
        assert!(all.runs.is_sorted_by(|a, b| a.created_at > b.created_at), "newest first");
        assert_eq!(all.runs.iter().filter(|run| run.version == 2).count(), 50);
        let pending = all.runs.iter().filter(|run| run.status == Status::Pending);
        assert!(pending.clone().all(|run| run.finished_at.is_none()));
        assert_eq!(pending.count(), 50);
        let first = all.runs.last().unwrap();
        assert_eq!((first.created_at, first.finished_at), (at(BASE), Some(at(BASE + 5 * SECOND))));
        assert_eq!((first.version, first.status, first.steps), (2, Status::Failed, 3));

        let some = found(0, 450, 10).await;
        assert_eq!((some.runs.as_slice(), some.truncated), (&all.runs[..10], true));
        let exactly = found(0, 450, 400).await;
        assert_eq!((exactly.runs.len(), exactly.truncated), (400, false));
        // From its beginning on, up to before its end.
        let window = found(9, 18, 100).await;
        let times: Vec<i64> = window.runs.iter().map(|run| (run.created_at.0 - BASE) / SECOND).collect();
        assert_eq!(times, [17, 16, 15, 14, 13, 12, 11, 9]);
        assert_eq!(found(1000, 2000, 10).await.runs, []);
    }

    async fn there_are_none_of_a_flow_that_is_not_there_or_anothers(db: &TestDb) {
        let store = db.store().await;
        flow(&store, "f").await;
        let window = (at(0), at(i64::MAX));
        let none = store.flow_facts(ProjectId::DEFAULT, "g", window, 10).await.unwrap();
        assert_eq!(none, None);
        let anothers = store.flow_facts(ProjectId(fresh()), "f", window, 10).await.unwrap();
        assert_eq!(anothers, None);
        let empty = store.flow_facts(ProjectId::DEFAULT, "f", window, 10).await.unwrap().unwrap();
        assert_eq!((empty.runs, empty.truncated), (Vec::new(), false));
    }

    async fn runs_by_their_ids_are_those_of_the_project(db: &TestDb) {
        let store = db.store().await;
        let f = flow(&store, "f").await;
        let runs = [run_id(), run_id()];
        for run in runs {
            store.commit(create(run, f, None)).await.unwrap();
        }
        let asked = [runs[1], run_id(), runs[0]];
        let found = store.project_runs(ProjectId::DEFAULT, &asked).await.unwrap();
        let ids: Vec<RunId> = found.iter().map(|run| run.id).collect();
        assert_eq!(ids, [runs[1], runs[0]]);
        // Each as it is found alone, to the last column but those that may be large.
        assert!(store.request_cancel(runs[1], at(7)).await.unwrap());
        for run in store.project_runs(ProjectId::DEFAULT, &asked).await.unwrap() {
            let alone = store.run(run.id).await.unwrap().unwrap();
            assert!(!alone.input.is_empty() && run.input.is_empty());
            assert_eq!(RunRecord { input: alone.input.clone(), ..run }, alone);
        }
        assert_eq!(store.project_runs(ProjectId(fresh()), &asked).await.unwrap(), []);
        assert_eq!(store.project_runs(ProjectId::DEFAULT, &[]).await.unwrap(), []);
    }
}
