//! What the figures were measured on.

use std::fmt;
use std::fs::read_to_string;

pub(super) struct Machine {
    cores: usize,
    model: String,
    memory_gib: u64,
    load: String,
}

impl Machine {
    pub(super) fn read() -> Self {
        let cpu = read_to_string("/proc/cpuinfo").unwrap_or_default();
        let memory = read_to_string("/proc/meminfo").unwrap_or_default();
        let kib = field(&memory, "MemTotal")
            .split(' ')
            .next()
            .and_then(|text| text.parse().ok());
        Machine {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            model: field(&cpu, "model name").to_owned(),
            memory_gib: kib.unwrap_or(0_u64) / 1024 / 1024,
            load: load_average(),
        }
    }

    /// Somebody else kept more than a quarter of it working during the last minute.
    pub(super) fn is_busy(&self) -> bool {
        let last_minute = self
            .load
            .split(' ')
            .next()
            .and_then(|text| text.parse::<f64>().ok());
        last_minute.is_some_and(|load| load > self.cores as f64 / 4.0)
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine {
            cores,
            model,
            memory_gib,
            load,
        } = self;
        write!(
            f,
            "{cores} cores ({model}), {memory_gib} GiB; load average at start {load}"
        )
    }
}

/// Over one, five and fifteen minutes.
pub(super) fn load_average() -> String {
    let text = read_to_string("/proc/loadavg").unwrap_or_default();
    let three: Vec<&str> = text.split(' ').take(3).collect();
    if three.len() == 3 {
        three.join(" ")
    } else {
        "unknown".to_owned()
    }
}

fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_once(':'))
        .map_or("unknown", |(_, value)| value.trim())
}
