//! Flows, lists and pages.
use runstone_db::Value;
use runstone_model::{
    ids::{FlowVersionId, ProjectId, RunId},
    run::Status,
};
use runstone_store::{
    Commit, Direction, Error, FlowDeleted, FlowExpected, FlowWritten, NewFlow, RunFilter,
    Store as _, Walk,
};
use runstone_testkit::on_every_database;

use crate::harness::{TestDb, at, create, flow, fresh, row, rows, run_id, server_id, sql, update};

fn new_flow(name: &str, definition: &str) -> NewFlow {
    NewFlow {
        project: ProjectId::DEFAULT,
        name: name.to_owned(),
        definition: definition.to_owned(),
        id: FlowVersionId(fresh()),
        created_at: at(1),
    }
}

/// A new run of `team` `a`.
fn labelled(run: RunId, flow: FlowVersionId) -> Commit {
    let mut commit = create(run, flow, Some(server_id()));
    if let Some(create) = &mut commit.create {
        create.labels = vec![("team".to_owned(), "a".to_owned())];
    }
    commit
}

on_every_database! {
    async fn each_text_is_one_version(db: &TestDb) {
        let store = db.store().await;
        let one = store.put_flow(new_flow("f", "{\"a\":1}")).await.unwrap();
        let two = store.put_flow(new_flow("f", "{\"a\":2}")).await.unwrap();
        let again = store.put_flow(new_flow("f", "{\"a\":1}")).await.unwrap();
        let other = store.put_flow(new_flow("g", "{\"a\":1}")).await.unwrap();
        assert_eq!((one.version, two.version, other.version), (1, 2, 1));
        assert_eq!(again, one);
        assert_eq!(store.flow_version(two.id).await.unwrap(), Some(two));
        assert_eq!(store.flow_version(FlowVersionId(fresh())).await.unwrap(), None);
        assert!(store.project_exists(ProjectId::DEFAULT).await.unwrap());
        assert!(!store.project_exists(ProjectId(fresh())).await.unwrap());
    }

    async fn a_flow_of_an_unknown_project_is_refused(db: &TestDb) {
        let store = db.store().await;
        let project = ProjectId(fresh());
        let flow = NewFlow { project, ..new_flow("f", "{}") };
        let error = store.put_flow(flow).await.unwrap_err();
        assert_eq!(error, Error::Other(format!("there is no project {project}")));
    }

    async fn versions_stored_at_the_same_time_get_different_numbers(db: &TestDb) {
        let store = db.store().await;
        let texts: Vec<String> = (0..12).map(|n| format!("{{\"n\":{}}}", n % 6)).collect();
        let all = texts.iter().map(|text| store.put_flow(new_flow("f", text)));
        let mut versions: Vec<u32> = futures::future::join_all(all)
            .await
            .into_iter()
            .map(|stored| stored.unwrap().version)
            .collect();
        versions.sort_unstable();
        assert_eq!(versions, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]);
    }

    async fn a_flow_is_written_and_deleted_as_it_was_expected(db: &TestDb) {
        let store = db.store().await;
        let put = async |text: &str, expected| store.put_flow_expecting(new_flow("f", text), expected).await.unwrap();
        let done = |written| match written {
            FlowWritten::Done { version, newest } => (version.version, newest),
            FlowWritten::Stale(newest) => panic!("stale: {newest:?}"),
        };
        assert_eq!(put("1", FlowExpected::Newest(1)).await, FlowWritten::Stale(None));
        assert_eq!(done(put("1", FlowExpected::None).await), (1, 1));
        assert_eq!(put("1", FlowExpected::None).await, FlowWritten::Stale(Some(1)));
        assert_eq!(done(put("2", FlowExpected::Newest(1)).await), (2, 2));
        assert_eq!(put("3", FlowExpected::Newest(1)).await, FlowWritten::Stale(Some(2)));
        assert_eq!(done(put("1", FlowExpected::Newest(2)).await), (1, 2), "no new version");
        // Somebody who expects nothing is in between.
        let (free, bound) = tokio::join!(
            store.put_flow(new_flow("f", "4")),
            store.put_flow_expecting(new_flow("f", "5"), FlowExpected::Newest(2)),
        );
        let newest = match bound.unwrap() {
            FlowWritten::Done { newest, .. } => {
                assert_eq!((newest, free.unwrap().version), (3, 4));
                4
            }
            FlowWritten::Stale(newest) => {
                assert_eq!((newest, free.unwrap().version), (Some(3), 3));
                3
            }
        };
        let delete = async |expected| store.delete_flow(ProjectId::DEFAULT, "f", expected).await.unwrap();
        assert_eq!(delete(newest - 1).await, FlowDeleted::Stale(Some(newest)));
        let version = store.put_flow(new_flow("f", "1")).await.unwrap();
        store.commit(create(run_id(), version.id, None)).await.unwrap();
        assert_eq!(delete(newest).await, FlowDeleted::InUse);
        store.put_flow(new_flow("g", "1")).await.unwrap();
        assert_eq!(store.delete_flow(ProjectId::DEFAULT, "g", 1).await.unwrap(), FlowDeleted::Done);
        assert_eq!(store.delete_flow(ProjectId::DEFAULT, "g", 1).await.unwrap(), FlowDeleted::Stale(None));
    }

    async fn lists_are_newest_first_filtered_and_paged(db: &TestDb) {
        let store = db.store().await;
        let (f, g) = (flow(&store, "f").await, flow(&store, "g").await);
        let project = Some(ProjectId::DEFAULT);
        let mut runs = Vec::new();
        for n in 0..12 {
            let run = run_id();
            let flow = if n % 3 == 0 { g } else { f };
            let update = (n % 2 == 0).then(|| update(Status::Completed));
            store.commit(Commit { update, ..create(run, flow, None) }).await.unwrap();
            runs.push(run);
        }
        runs.reverse();
        let wanted = |keep: fn(usize) -> bool| -> Vec<RunId> {
            runs.iter().enumerate().filter(|(at, _)| keep(11 - at)).map(|(_, run)| *run).collect()
        };
        let flow = |name: &str| Some(name.to_owned());
        let status = vec![Status::Completed];
        let cases: Vec<(RunFilter, Vec<RunId>)> = vec![
            (RunFilter::default(), wanted(|_| true)),
            (RunFilter { project, ..RunFilter::default() }, wanted(|_| true)),
            (RunFilter { status: status.clone(), ..RunFilter::default() }, wanted(|n| n % 2 == 0)),
            (
                RunFilter { project, status: status.clone(), ..RunFilter::default() },
                wanted(|n| n % 2 == 0),
            ),
            (
                RunFilter {
                    project,
                    status: vec![Status::Pending, Status::Completed, Status::Failed],
                    ..RunFilter::default()
                },
                wanted(|_| true),
            ),
            (RunFilter { flow: flow("g"), ..RunFilter::default() }, wanted(|n| n % 3 == 0)),
            (
                RunFilter { project, status, flow: flow("f"), ..RunFilter::default() },
                wanted(|n| n % 3 != 0 && n % 2 == 0),
            ),
            (RunFilter { flow: flow("none"), ..RunFilter::default() }, Vec::new()),
            (RunFilter { project: Some(ProjectId(fresh())), ..RunFilter::default() }, Vec::new()),
        ];
        for (filter, expected) in cases {
            for direction in [Direction::Down, Direction::Up] {
                let mut found = Vec::new();
                let mut beyond = None;
                loop {
                    let page = RunFilter { direction, beyond, limit: 3, ..filter.clone() };
                    let page = store.runs(page).await.unwrap();
                    assert!(page.len() <= 3);
                    let Some(last) = page.last() else { break };
                    beyond = Some(last.id);
                    found.extend(page.iter().map(|record| record.id));
                }
                if direction == Direction::Up {
                    found.reverse();
                }
                assert_eq!(found, expected, "{filter:?} {direction:?}");
            }
        }
    }

    async fn a_record_has_everything_back(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "the flow").await;
        let owner = server_id();
        let run = run_id();
        let mut commit = create(run, flow, Some(owner));
        if let Some(create) = &mut commit.create {
            create.deadline = Some(at(77));
            create.input = "{\"text\":\"ä\\u0000\\n\"}".to_owned();
        }
        store.commit(commit).await.unwrap();
        let record = store.run(run).await.unwrap().unwrap();
        assert_eq!(record.input, "{\"text\":\"ä\\u0000\\n\"}");
        assert_eq!((record.flow.as_str(), record.version), ("the flow", 1));
        assert_eq!((record.flow_version, record.project), (flow, ProjectId::DEFAULT));
        assert_eq!((record.owner, record.status), (Some(owner), Status::Running));
        assert_eq!((record.created_at, record.deadline), (at(2), Some(at(77))));
        assert_eq!(record.finished_at, None);
        assert_eq!(store.run(run_id()).await.unwrap(), None);
    }

    async fn a_row_has_everything_back(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let run = run_id();
        let mut full = row(1);
        full.item = Some(u32::MAX);
        full.visit = u32::MAX;
        full.duration_us = u64::try_from(i64::MAX).unwrap();
        full.started_at = at(-5);
        let mut bare = row(2);
        bare.node = None;
        bare.body = "\"\\\"$blob\\\":\\\"\"".to_owned();
        let commit = Commit { rows: vec![full.clone(), bare.clone()], ..create(run, flow, None) };
        store.commit(commit).await.unwrap();
        let back = store.journal(run, 0, 9).await.unwrap();
        assert_eq!(back.iter().map(|row| row.row.clone()).collect::<Vec<_>>(), [full, bare]);
        assert_eq!(store.journal(run, 1, 9).await.unwrap().len(), 1);
        assert_eq!(store.journal(run, 0, 1).await.unwrap().len(), 1);
    }

    async fn load_answers_in_the_order_asked_without_the_unknown(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let (a, b, unknown) = (run_id(), run_id(), run_id());
        for run in [a, b] {
            store.commit(create(run, flow, None)).await.unwrap();
        }
        let ids: Vec<RunId> = store
            .load(&[b, unknown, a])
            .await
            .unwrap()
            .into_iter()
            .map(|loaded| loaded.record.id)
            .collect();
        assert_eq!(ids, [b, a]);
        assert_eq!(store.load(&[]).await.unwrap(), []);
    }

    async fn deleting_takes_ended_runs_with_all_that_is_theirs(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let (ended, open) = (run_id(), run_id());
        for (run, status) in [(ended, Status::Failed), (open, Status::Waiting)] {
            let commit = Commit {
                update: Some(update(status)),
                rows: vec![row(1)],
                snapshot: Some(runstone_store::Snapshot { seq: 1, body: "1".to_owned() }),
                ..labelled(run, flow)
            };
            store.commit(commit).await.unwrap();
        }
        assert_eq!(store.delete_runs(&[ended, open, run_id()]).await.unwrap(), 1);
        assert_eq!(store.run(ended).await.unwrap(), None);
        assert_eq!(store.journal(ended, 0, 9).await.unwrap(), []);
        assert_eq!(store.journal(open, 0, 9).await.unwrap().len(), 1);
        let labels = async |run| store.labels(ProjectId::DEFAULT, run).await.unwrap();
        assert_eq!((labels(ended).await.len(), labels(open).await.len()), (0, 1));
        let ended = [("run", Value::Uuid(ended.0))];
        let left = sql(&store, "DELETE FROM snapshots WHERE run_id = :run", &ended).await;
        assert_eq!(left, 0);
    }

    async fn a_label_without_its_run_takes_no_place_on_a_page(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let mut runs = Vec::new();
        for _ in 0..3 {
            let run = run_id();
            store.commit(labelled(run, flow)).await.unwrap();
            runs.push(run);
        }
        let lost = [("run", Value::Uuid(run_id().0)), ("project", Value::Uuid(ProjectId::DEFAULT.0))];
        let orphan = "INSERT INTO run_labels (project_id, name, value, run_id) \
                      VALUES (:project, 'team', 'a', :run)";
        sql(&store, orphan, &lost).await;
        let page = store.runs_with_label(ProjectId::DEFAULT, ("team", "a"), &Walk::down(2)).await.unwrap();
        assert_eq!(page.iter().map(|run| run.id).collect::<Vec<_>>(), [runs[2], runs[1]]);
    }

    async fn the_database_itself_refuses_what_must_not_be(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let run = run_id();
        store.commit(create(run, flow, Some(server_id()))).await.unwrap();
        for broken in [
            "UPDATE runs SET status = 'sleeping'",
            "UPDATE runs SET status = 'completed'",
            "UPDATE runs SET finished_at = 1",
            "UPDATE runs SET finished_at = 1, status = 'completed'",
            "UPDATE runs SET epoch = -1",
            "DELETE FROM flow_versions",
            "DELETE FROM projects",
            "UPDATE flow_versions SET version = 0",
        ] {
            let statement =
                runstone_db::Statement::render("test", broken, store.database().dialect()).unwrap();
            assert!(store.database().execute(&statement, &[]).await.is_err(), "{broken}");
        }
        store.commit(rows(run, 1, [1])).await.unwrap();
    }
}
