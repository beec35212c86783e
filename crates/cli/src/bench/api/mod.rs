//! `runstone bench api`: loads a server over HTTP and tells how fast and how well it answers. The
//! same generator loads the peers of the benchmarks, which answer the same requests.
mod calls;
mod load;
mod watch;
mod wire;

use std::{process::ExitCode, time::Duration};

use anyhow::Context as _;
use serde_json::{Value, json};

pub(super) use calls::Call;
use load::Until;
use wire::Target;

use super::Args;

pub(super) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let url = args.server.as_deref();
    let url = url.context("`bench api` needs --server http://HOST:PORT")?;
    let target = Target::read(url, args.key.as_deref())?;
    let (call, connections, runs) = (args.call, args.concurrency, args.runs);
    let until = match args.requests {
        Some(requests) => Until::Requests(requests),
        None => Until::Time(Duration::try_from_secs_f64(args.seconds)?),
    };
    crate::handles::take_all();
    // One thread: the server needs the cores.
    let measured = tokio::task::spawn_blocking(move || -> anyhow::Result<Value> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(match call {
            Call::Watch => watched(&runtime.block_on(watch::run(target, runs, connections))?),
            call => asked(
                connections,
                &runtime.block_on(load::run(target, call, connections, until))?,
            ),
        })
    });
    let mut report = measured.await??;
    report["scenario"] = json!("api");
    report["call"] = json!(call.name());
    report["server"] = json!(url);
    if args.json {
        println!("{report}");
    } else {
        println!("{}", text(&report));
    }
    Ok(match report["errors"].as_u64() {
        Some(0) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn asked(connections: usize, outcome: &load::Outcome) -> Value {
    json!({
        "concurrency": connections,
        "requests": outcome.times.len(),
        "seconds": outcome.seconds,
        "requests_per_s": outcome.times.len() as f64 / outcome.seconds.max(f64::EPSILON),
        "p50_ms": outcome.at_ms(0.5),
        "p95_ms": outcome.at_ms(0.95),
        "p99_ms": outcome.at_ms(0.99),
        "max_ms": outcome.at_ms(1.0),
        "errors": outcome.errors,
        "first_error": outcome.first_error,
    })
}

fn watched(seen: &watch::Seen) -> Value {
    json!({
        "concurrency": seen.watchers,
        "runs": seen.runs,
        "events": seen.events,
        "seconds": seen.seconds,
        "errors": seen.errors,
        "first_error": seen.first_error,
    })
}

fn text(report: &Value) -> String {
    let number = |field: &str| report[field].as_f64().unwrap_or(0.0);
    let call = report["call"].as_str().unwrap_or_default();
    let error = match report["first_error"].as_str() {
        Some(error) => format!("\n  the first error: {error}"),
        None => String::new(),
    };
    let (of, errors) = (number("concurrency"), number("errors"));
    if call == Call::Watch.name() {
        return format!(
            "watch: {of} watchers of {} runs saw {} events in {:.2} s, {errors} of them not all \
             once{error}",
            number("runs"),
            number("events"),
            number("seconds"),
        );
    }
    format!(
        "{call} on {of} connections: {} requests in {:.2} s, {errors} errors\n  {:.0} requests/s; \
         an answer takes {:.2} ms (median), {:.2} ms (95 %), {:.2} ms (99 %){error}",
        number("requests"),
        number("seconds"),
        number("requests_per_s"),
        number("p50_ms"),
        number("p95_ms"),
        number("p99_ms"),
    )
}
