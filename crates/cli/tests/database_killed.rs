//! The database server is killed and started again, over and over, under 200 runs in flight of the
//! real program: the program waits and goes on, and nothing is lost, doubled or stuck.
//! `RUNSTONE_DATABASE_KILLS` sets how often (40 without `CI`, which is two minutes; 5 with it).
#![expect(clippy::unwrap_used, reason = "tests")]
mod journal_check;
mod load;

use journal_check::check;
use load::{AWAY, BACK, Load, are_few, resume_all};
use runstone_testkit::servers::{Own, TestDatabase};

/// The last kill is for so many periods: longer than a commit waits before it says so.
const AWAY_PERIODS: u32 = 6;

fn kill_again_and_again(kind: TestDatabase) {
    let Some(mut server) = Own::start(kind, None, &[]) else {
        return;
    };
    let default = if std::env::var_os("CI").is_some() {
        5
    } else {
        40
    };
    let kills =
        std::env::var("RUNSTONE_DATABASE_KILLS").map_or(default, |text| text.parse().unwrap());
    let url = server.url().to_owned();
    let mut load = Load::start(&url);
    let mut idle = 0;
    for _ in 0..kills {
        idle += u32::from(load.one_period() == 0);
        server.kill();
        server.start_again();
    }
    assert!(
        idle < kills / 2,
        "in {idle} of {kills} periods nothing went on"
    );
    server.kill();
    load.tells(AWAY);
    for _ in 0..AWAY_PERIODS {
        load.one_period();
    }
    server.start_again();
    load.goes_on(1_000);
    load.tells(BACK);
    let (acks, said) = load.end();
    are_few(&said, kills as usize + 1);
    resume_all(&url);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let found = runtime.block_on(check(&url, &acks));
    println!(
        "{} killed {kills} times, {} runs, {} rows, {} acknowledged runs: \
         lost {} / twice {} / stuck {}",
        kind.name(),
        found.runs,
        found.rows,
        acks.len(),
        found.lost,
        found.twice,
        found.stuck
    );
    assert_eq!((found.lost, found.twice, found.stuck), (0, 0, 0));
}

mod postgres {
    #[test]
    fn a_killed_server_loses_nothing() {
        super::kill_again_and_again(super::TestDatabase::Postgres);
    }
}

mod mariadb {
    #[test]
    fn a_killed_server_loses_nothing() {
        super::kill_again_and_again(super::TestDatabase::Mariadb);
    }
}
