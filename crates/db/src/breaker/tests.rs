//! Closed, open, half-open: who may try, and when.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Breaker, Circuit, FIRST, LONGEST};
use crate::error::{Class, Error};
use std::time::Duration;
use tokio::time::advance;

fn away() -> Result<(), Error> {
    Err(Error::new(Class::Unavailable, "nothing listens there"))
}

fn fail(breaker: &Breaker) {
    breaker.admit().unwrap().ended(&away());
}

fn opened() -> Breaker {
    let breaker = Breaker::new();
    for _ in 0..3 {
        fail(&breaker);
    }
    assert_eq!(breaker.health().circuit, Circuit::Open);
    breaker
}

#[tokio::test(start_paused = true)]
async fn three_failures_in_a_row_open_it_and_the_reason_is_given() {
    let breaker = Breaker::new();
    fail(&breaker);
    fail(&breaker);
    breaker.admit().unwrap().ended(&Ok(()));
    fail(&breaker);
    fail(&breaker);
    assert_eq!(breaker.health().circuit, Circuit::Closed);
    fail(&breaker);
    let health = breaker.health();
    assert_eq!((health.circuit, health.failures), (Circuit::Open, 3));
    assert_eq!(health.last_error.as_deref(), Some("nothing listens there"));
    assert!(health.retry_in_ms.is_some());
    let refused = breaker.admit().unwrap_err();
    assert_eq!(refused.class, Class::Unavailable);
    assert!(refused.message.starts_with("nothing listens there ("));
}

#[tokio::test(start_paused = true)]
async fn one_caller_probes_and_the_others_are_refused() {
    let breaker = opened();
    assert!(breaker.refuses().is_some());
    advance(FIRST).await;
    assert!(breaker.refuses().is_none());
    let probe = breaker.admit().unwrap();
    assert_eq!(breaker.health().circuit, Circuit::HalfOpen);
    assert!(breaker.admit().is_err());
    probe.ended(&Ok(()));
    assert_eq!(breaker.health(), super::Health::default());
    assert!(breaker.admit().is_ok());
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_up_to_the_longest() {
    let breaker = opened();
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let mut paused = Duration::ZERO;
        while breaker.refuses().is_some() {
            advance(Duration::from_millis(5)).await;
            paused += Duration::from_millis(5);
        }
        pauses.push(paused);
        fail(&breaker);
    }
    assert!(pauses[0] <= FIRST + Duration::from_millis(5), "{pauses:?}");
    assert!(pauses[7] >= LONGEST / 2, "{pauses:?}");
    assert!(
        pauses[7] <= LONGEST + Duration::from_millis(5),
        "{pauses:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_caller_went_away_leaves_the_turn_to_the_next() {
    let breaker = opened();
    advance(FIRST).await;
    drop(breaker.admit().unwrap());
    breaker.admit().unwrap().ended(&Ok(()));
    assert_eq!(breaker.health().circuit, Circuit::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_is_there() {
    let breaker = Breaker::new();
    for _ in 0..10 {
        let busy: Result<(), Error> = Err(Error::new(Class::Busy, "too many connections"));
        breaker.admit().unwrap().ended(&busy);
    }
    assert_eq!(breaker.health().circuit, Circuit::Closed);
}
