//! How far a backup, a restore or a check is: a line that changes on a terminal, a line now and then
//! elsewhere, nothing when asked to be quiet. The first Ctrl-C asks the work to stop.
use std::{
    io::IsTerminal as _,
    time::{Duration, Instant},
};

use indicatif::ProgressBar;
use runstone_store::backup::{Meter, Progress};

use crate::{
    print::{note, paint::dumb},
    signals::Signals,
};

/// How often a terminal is told.
const TURN: Duration = Duration::from_millis(150);
/// How often a log is told.
const LINE: Duration = Duration::from_secs(5);

/// Waits for `work`, telling how far it is.
pub(crate) async fn watched<T>(
    what: &str,
    meter: &Meter,
    quiet: bool,
    signals: &mut Signals,
    work: impl Future<Output = T>,
) -> T {
    let live = !quiet && std::io::stderr().is_terminal() && !dumb();
    let bar = live.then(ProgressBar::new_spinner);
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(if live { TURN } else { LINE });
    tokio::pin!(work);
    let mut asked = false;
    let done = loop {
        tokio::select! {
            biased;
            done = &mut work => break done,
            () = signals.stop(), if !asked => {
                asked = true;
                meter.stop();
                if !quiet {
                    note("  stopping; press Ctrl-C again to end at once");
                }
            }
            _ = ticks.tick() => {
                let line = told(what, meter.progress(), begun.elapsed());
                match &bar {
                    Some(bar) => {
                        bar.set_message(line);
                        bar.tick();
                    }
                    None if !quiet => note(&line),
                    None => {}
                }
            }
        }
    };
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    done
}

fn told(what: &str, progress: Progress, after: Duration) -> String {
    let section = progress.section.name().replace('_', " ");
    let rate = progress.bytes as f64 / after.as_secs_f64().max(0.001);
    format!(
        "  {what}: {} rows, {}, {}/s ({section})",
        progress.rows,
        bytes(progress.bytes),
        bytes(rate as u64),
    )
}

/// `312 B`, `3.4 KiB`, `1.2 GiB`.
pub(crate) fn bytes(number: u64) -> String {
    let mut value = number as f64;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit == "B" {
        format!("{number} B")
    } else {
        format!("{value:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        let all = [0, 1023, 1024, 1 << 20, 3 << 29].map(bytes);
        assert_eq!(all, ["0 B", "1023 B", "1.0 KiB", "1.0 MiB", "1.5 GiB"]);
    }
}
