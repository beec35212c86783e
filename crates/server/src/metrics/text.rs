//! Prometheus' text format. Knows the list of metrics and nothing of where numbers come from.
use std::{collections::BTreeMap, fmt::Write as _};

use runstone_model::histogram::Histogram;

use super::{METRICS, Metric, MetricKind};

/// Numbers on their way into the text.
#[derive(Default)]
pub(super) struct Page {
    lines: BTreeMap<&'static str, String>,
}

impl Page {
    /// The metric of that name; its labels get `values` in their order.
    fn labels(name: &str, values: &[&str]) -> Option<(&'static Metric, String)> {
        let metric = METRICS.iter().find(|metric| metric.name == name);
        debug_assert!(metric.is_some(), "{name} is not in the list of metrics");
        let metric = metric?;
        debug_assert_eq!(metric.labels.len(), values.len(), "the labels of {name}");
        let labels = metric.labels.iter().zip(values);
        let labels = labels.map(|(label, value)| format!("{label}=\"{}\"", escaped(value)));
        Some((metric, labels.collect::<Vec<_>>().join(",")))
    }

    /// A number under labels.
    pub(super) fn labelled(&mut self, name: &str, labels: &[&str], value: f64) {
        let Some((metric, labels)) = Self::labels(name, labels) else {
            return;
        };
        let lines = self.lines.entry(metric.name).or_default();
        let _ = if labels.is_empty() {
            writeln!(lines, "{name} {value}")
        } else {
            writeln!(lines, "{name}{{{labels}}} {value}")
        };
    }

    /// A number.
    pub(super) fn number(&mut self, name: &str, value: f64) {
        self.labelled(name, &[], value);
    }

    /// Counts by size.
    pub(super) fn histogram(&mut self, name: &str, labels: &[&str], histogram: &Histogram) {
        let Some((metric, labels)) = Self::labels(name, labels) else {
            return;
        };
        let lines = self.lines.entry(metric.name).or_default();
        let (comma, braced) = if labels.is_empty() {
            ("", String::new())
        } else {
            (",", format!("{{{labels}}}"))
        };
        for (bound, count) in histogram.cumulative() {
            let _ = writeln!(
                lines,
                "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}"
            );
        }
        let (count, sum) = (histogram.count(), histogram.sum());
        let _ = writeln!(lines, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {count}");
        let _ = writeln!(lines, "{name}_sum{braced} {sum}");
        let _ = writeln!(lines, "{name}_count{braced} {count}");
    }

    /// The whole text: every metric of the list, also one that has no numbers yet.
    pub(super) fn finish(self) -> String {
        let mut text = String::new();
        for Metric {
            name, kind, help, ..
        } in METRICS
        {
            let kind: MetricKind = *kind;
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {}", kind.name());
            text.push_str(self.lines.get(name).map_or("", String::as_str));
        }
        text
    }
}

/// A label's value as the format wants it.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_histograms_are_written_as_prometheus_reads_them() {
        let mut page = Page::default();
        page.number("runstone_watchers", 3.0);
        page.labelled("runstone_steps_total", &["comp\"l\\e\n"], 2.0);
        let mut histogram = Histogram::new(&[0.5, 1.0]);
        histogram.observe(0.75);
        page.histogram("runstone_commit_seconds", &[], &histogram);
        let labels = ["GET", "/x", "200"];
        page.histogram("runstone_http_request_seconds", &labels, &histogram);
        let text = page.finish();
        let has = |line: &str| assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        has("# TYPE runstone_watchers gauge");
        has("runstone_watchers 3");
        has("runstone_steps_total{outcome=\"comp\\\"l\\\\e\\n\"} 2");
        has("runstone_commit_seconds_bucket{le=\"0.5\"} 0");
        has("runstone_commit_seconds_bucket{le=\"1\"} 1");
        has("runstone_commit_seconds_bucket{le=\"+Inf\"} 1");
        has("runstone_commit_seconds_sum 0.75");
        has("runstone_commit_seconds_count 1");
        let labels = "method=\"GET\",route=\"/x\",status=\"200\"";
        has(&format!(
            "runstone_http_request_seconds_bucket{{{labels},le=\"1\"}} 1"
        ));
        has(&format!(
            "runstone_http_request_seconds_count{{{labels}}} 1"
        ));
    }

    #[test]
    fn names_are_those_that_prometheus_wants() {
        for metric in METRICS {
            let name = metric.name;
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            assert!(
                name.starts_with("runstone_") && name.bytes().all(plain),
                "{name}"
            );
            let counter = metric.kind == MetricKind::Counter;
            assert_eq!(name.ends_with("_total"), counter, "{name}");
            assert!(
                !metric.help.is_empty() && metric.help.ends_with('.'),
                "{name}"
            );
            assert!(
                !metric.help.contains('\n') && !metric.help.contains('\\'),
                "{name}"
            );
        }
        let mut names: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), METRICS.len());
    }
}
