//! Agent executions: progress, ends, lists, and sums that are exact.
use runstone_model::ids::{AgentExecutionId, RunId};
use runstone_store::Walk;
use runstone_store::agent::{
    AgentExecution, AgentFilter, AgentMetrics, AgentStatus, MetricsFilter,
};
use runstone_testkit::on_every_database;

use crate::{Content, at, fresh_id};

const HOUR_US: i64 = 3_600_000_000;

fn execution(db: &Content, agent: &str, started: i64) -> AgentExecution {
    AgentExecution {
        id: AgentExecutionId(fresh_id()),
        project: db.project,
        agent: agent.to_owned(),
        correlation_id: None,
        run: None,
        model: None,
        status: AgentStatus::Running,
        progress: 0,
        message: None,
        input_tokens: 0,
        output_tokens: 0,
        cost_nanos: 0,
        currency: None,
        version: 1,
        started_at: at(started),
        updated_at: at(started),
        finished_at: None,
        duration_us: None,
        input: Some("{\"q\":\"🙂\"}".to_owned()),
        output: None,
        error: None,
    }
}

async fn ended(db: &Content, agent: &str, started: i64, took: i64, nanos: i64, currency: &str) {
    let ended = AgentExecution {
        status: AgentStatus::Completed,
        progress: 100,
        input_tokens: 10,
        output_tokens: 3,
        cost_nanos: nanos,
        currency: Some(currency.to_owned()),
        finished_at: Some(at(started + took)),
        duration_us: Some(took),
        ..execution(db, agent, started)
    };
    db.store.create_agent_execution(&ended).await.unwrap();
}

async fn metrics(db: &Content, agent: Option<&str>) -> Vec<AgentMetrics> {
    let filter = MetricsFilter {
        agent: agent.map(str::to_owned),
        since: at(0),
        until: at(10 * HOUR_US),
        period_us: HOUR_US,
        limit: 100,
    };
    db.store.agent_metrics(db.project, &filter).await.unwrap()
}

on_every_database! {
    async fn an_execution_goes_on_until_it_ends(db: &Content) {
        let begun = AgentExecution {
            correlation_id: Some("🌍".repeat(200)),
            run: Some(RunId(fresh_id())),
            model: Some("🌍".repeat(200)),
            message: Some("🌍".repeat(1000)),
            ..execution(db, &"🌍".repeat(200), 1_000)
        };
        db.store.create_agent_execution(&begun).await.unwrap();
        let read = || db.store.agent_execution(db.project, begun.id);
        assert_eq!(read().await.unwrap(), Some(begun.clone()));

        let half = AgentExecution {
            progress: 50,
            message: Some("reading".to_owned()),
            cost_nanos: 1,
            currency: Some("EUR".to_owned()),
            updated_at: at(2_000),
            ..begun.clone()
        };
        assert!(db.store.update_agent_execution(&half, 1).await.unwrap());
        assert!(!db.store.update_agent_execution(&half, 1).await.unwrap(), "another version");
        assert_eq!(read().await.unwrap(), Some(AgentExecution { version: 2, ..half.clone() }));

        let failed = AgentExecution {
            status: AgentStatus::Failed,
            finished_at: Some(at(3_000)),
            duration_us: Some(2_000),
            error: Some("{\"message\":\"no\"}".to_owned()),
            ..half
        };
        assert!(db.store.update_agent_execution(&failed, 2).await.unwrap());
        assert!(!db.store.update_agent_execution(&failed, 3).await.unwrap(), "ended");
        assert_eq!(read().await.unwrap(), Some(AgentExecution { version: 3, ..failed }));
    }

    async fn executions_are_listed_by_agent_status_and_what_belongs_together(db: &Content) {
        for n in 0..5 {
            let agent = if n < 3 { "writer" } else { "critic" };
            let mut one = execution(db, agent, n);
            one.correlation_id = (n % 2 == 0).then(|| "together".to_owned());
            db.store.create_agent_execution(&one).await.unwrap();
        }
        ended(db, "writer", 9, 1, 0, "EUR").await;
        let found = async |filter: AgentFilter| {
            let list = db.store.agent_executions(db.project, &filter, &Walk::down(10)).await.unwrap();
            let mut back = db.store.agent_executions(db.project, &filter, &Walk::up(10)).await.unwrap();
            back.reverse();
            assert_eq!(list, back);
            let total = db.store.count_agent_executions(db.project, &filter).await.unwrap();
            assert_eq!(usize::try_from(total).unwrap(), list.len());
            assert!(list.iter().all(|one| one.input.is_none()));
            list.into_iter().map(|one| one.started_at.0).collect::<Vec<_>>()
        };
        let (agent, together) = (Some("writer".to_owned()), Some("together".to_owned()));
        let any = AgentFilter::default();
        assert_eq!(found(any.clone()).await, [9, 4, 3, 2, 1, 0]);
        assert_eq!(found(AgentFilter { agent: agent.clone(), ..any.clone() }).await, [9, 2, 1, 0]);
        let both = AgentFilter { agent: agent.clone(), correlation_id: together.clone(), ..any.clone() };
        assert_eq!(found(both).await, [2, 0]);
        assert_eq!(found(AgentFilter { correlation_id: together, ..any.clone() }).await, [4, 2, 0]);
        let running = AgentFilter { status: Some(AgentStatus::Running), agent, ..any.clone() };
        assert_eq!(found(running).await, [2, 1, 0]);
        assert_eq!(db.store.agent_executions(db.other, &any, &Walk::down(10)).await.unwrap(), []);
    }

    async fn sums_are_exact_and_percentiles_are_of_those_that_ended(db: &Content) {
        for n in 1..=20 {
            // 0.1 twenty times is not 2 in binary.
            ended(db, "writer", n, n * 1_000, 100_000_000, "EUR").await;
        }
        db.store.create_agent_execution(&execution(db, "writer", 21)).await.unwrap();
        ended(db, "writer", 30, 7, 1, "USD").await;
        ended(db, "critic", HOUR_US + 5, 9, 0, "EUR").await;
        let found = metrics(db, None).await;
        assert_eq!(found.len(), 4, "{found:#?}");
        let euro = found.iter().find(|m| m.currency.as_deref() == Some("EUR")).unwrap();
        assert_eq!((euro.agent.as_str(), euro.period, euro.executions), ("writer", at(0), 20));
        assert_eq!((euro.completed, euro.failed, euro.cancelled), (20, 0, 0));
        assert_eq!((euro.cost_nanos, euro.input_tokens, euro.output_tokens), (2_000_000_000, 200, 60));
        assert_eq!((euro.total_us, euro.max_us), (Some(210_000), Some(20_000)));
        assert_eq!((euro.p50_us, euro.p95_us), (Some(10_000), Some(19_000)));
        let running = found.iter().find(|m| m.currency.is_none()).unwrap();
        assert_eq!((running.executions, running.completed, running.p95_us), (1, 0, None));
        let critic = metrics(db, Some("critic")).await;
        assert_eq!((critic.len(), critic[0].period), (1, at(HOUR_US)));
    }

    async fn another_project_reads_and_writes_nothing(db: &Content) {
        let begun = execution(db, "writer", 1_000);
        db.store.create_agent_execution(&begun).await.unwrap();
        assert_eq!(db.store.agent_execution(db.other, begun.id).await.unwrap(), None);
        let theirs = AgentExecution { project: db.other, ..begun };
        assert!(!db.store.update_agent_execution(&theirs, 1).await.unwrap());
        let filter = MetricsFilter {
            agent: None,
            since: at(0),
            until: at(HOUR_US),
            period_us: HOUR_US,
            limit: 10,
        };
        assert_eq!(db.store.agent_metrics(db.other, &filter).await.unwrap(), []);
    }
}
