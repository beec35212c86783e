//! What goes wrong outside the program: disks, files, other processes. Each is a clear error with
//! exit code 2 that names the place, nothing is left half-written, and the next start is clean.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests")]
mod damage;
mod disk;
mod engines;
mod place;
