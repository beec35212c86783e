//! Where the lines go: above spinners on a terminal, plainly elsewhere, nowhere when quiet.
use std::{collections::BTreeMap, io::IsTerminal as _, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use runstone_model::run::StepRef;

use crate::print::{note, paint::dumb};

/// So many running steps are shown; more would scroll the screen away.
const SHOWN: usize = 8;
/// How often a spinner turns.
const TURN: Duration = Duration::from_millis(100);

/// Where progress goes.
pub(super) enum Screen {
    /// Nowhere.
    Quiet,
    /// A line at a time.
    Plain,
    /// A terminal.
    Live(Box<Live>),
}

/// Spinners and bars at the bottom of a terminal.
pub(super) struct Live {
    all: MultiProgress,
    spinners: BTreeMap<StepRef, ProgressBar>,
    bars: BTreeMap<StepRef, ProgressBar>,
}

impl Screen {
    pub(super) fn new(quiet: bool) -> Self {
        if quiet {
            Self::Quiet
        } else if std::io::stderr().is_terminal() && !dumb() {
            Self::Live(Box::new(Live {
                all: MultiProgress::new(),
                spinners: BTreeMap::new(),
                bars: BTreeMap::new(),
            }))
        } else {
            Self::Plain
        }
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self, Self::Live(_))
    }

    /// A line that stays.
    pub(super) fn line(&self, line: &str) {
        match self {
            Self::Quiet => {}
            Self::Plain => note(line),
            Self::Live(live) => live.all.suspend(|| note(line)),
        }
    }

    /// A step runs.
    pub(super) fn begin(&mut self, step: StepRef, title: &str) {
        let Self::Live(live) = self else { return };
        if step.item.is_some() || live.spinners.len() >= SHOWN {
            return;
        }
        let spinner = live
            .all
            .add(ProgressBar::new_spinner().with_message(title.to_owned()));
        spinner.set_style(style("{spinner:.cyan} {msg} {elapsed:.dim}"));
        spinner.enable_steady_tick(TURN);
        if let Some(earlier) = live.spinners.insert(step, spinner) {
            earlier.finish_and_clear();
        }
    }

    /// A step runs no more.
    pub(super) fn end(&mut self, step: StepRef) {
        let Self::Live(live) = self else { return };
        if let Some(spinner) = live.spinners.remove(&step) {
            spinner.finish_and_clear();
            live.all.remove(&spinner);
        }
    }

    /// A map is so far.
    pub(super) fn map(&mut self, step: StepRef, done: u64, total: u64, title: &str) {
        let Self::Live(live) = self else { return };
        let bar = live.bars.entry(step).or_insert_with(|| {
            let bar = live
                .all
                .add(ProgressBar::new(total).with_message(title.to_owned()));
            bar.set_style(style("  {msg} {bar:30.cyan/dim} {pos}/{len}"));
            bar
        });
        bar.set_position(done);
        if done == total {
            bar.finish_and_clear();
            if let Some(bar) = live.bars.remove(&step) {
                live.all.remove(&bar);
            }
        }
    }

    /// Takes everything away that does not stay.
    pub(super) fn clear(&mut self) {
        if let Self::Live(live) = self {
            // A terminal that is gone needs no clearing.
            let _ = live.all.clear();
        }
    }
}

/// A template of ours; a wrong one would show the plain spinner.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
