//! The disk of a database server is full under 200 runs in flight of the real program: nothing that
//! was acknowledged is lost, the runs wait, and go on once there is room again.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests")]
mod journal_check;
mod load;

use std::{
    fs::{self, File},
    io::Write as _,
    net::TcpStream,
    path::Path,
    process::Command,
};

use journal_check::check;
use load::{AWAY, BACK, Load, are_few, resume_all};
use runstone_testkit::servers::{Own, TestDatabase};
use tempfile::TempDir;

/// Room for an empty server and some minutes of load.
const BYTES: &str = "size=700m";
/// So long after the disk is full the last row is acknowledged: what is allocated is used up first.
const PERIODS: u32 = 20;

/// A small file system in memory, gone when dropped.
struct Disk(TempDir);

impl Disk {
    /// None, said aloud, where this user may not mount one.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", BYTES, "none"]);
        match mount.arg(folder.path()).output() {
            Ok(done) if done.status.success() => Some(Self(folder)),
            refused => {
                eprintln!("SKIPPED: no small file system can be mounted here: {refused:?}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut file = File::create(self.path().join("filler")).unwrap();
        for size in [1 << 20, 4 << 10] {
            let block = vec![0; size];
            while file.write_all(&block).is_ok() {}
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.path()).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} stays mounted", self.path().display());
        }
    }
}

fn is_up(url: &str) -> bool {
    let place = url.rsplit('@').next().unwrap().split('/').next().unwrap();
    TcpStream::connect(place).is_ok()
}

fn fill_and_make_room(kind: TestDatabase, settings: &[&str]) {
    // Dropped after the server, which has its folder there.
    let Some(disk) = Disk::mount() else { return };
    let settings: Vec<String> = settings.iter().map(|&text| text.to_owned()).collect();
    let Some(mut server) = Own::start(kind, Some(disk.path()), &settings) else {
        return;
    };
    let url = server.url().to_owned();
    let mut load = Load::start(&url);
    load.one_period();
    disk.fill();
    // Some last rows may fit into what is allocated after a period in which none did.
    let stopped = (0..PERIODS).any(|_| load.one_period() == 0 && load.one_period() == 0);
    assert!(stopped, "the disk is full, and rows are still acknowledged");
    load.tells(AWAY);
    disk.make_room();
    // A server that cannot write its log ends itself, and whoever keeps it starts it again.
    let ended = !is_up(&url);
    if ended {
        server.start_again();
    }
    load.goes_on(1_000);
    load.tells(BACK);
    let (acks, said) = load.end();
    // It may take some while to come up again, and come and go then.
    are_few(&said, 5);
    resume_all(&url);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let found = runtime.block_on(check(&url, &acks));
    println!(
        "{} full{}, {} runs, {} rows, {} acknowledged runs: lost {} / twice {} / stuck {}\n{said:#?}",
        kind.name(),
        if ended { " and ended by itself" } else { "" },
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
    fn a_full_disk_kills_no_run() {
        super::fill_and_make_room(super::TestDatabase::Postgres, &[]);
    }
}

mod mariadb {
    #[test]
    fn a_full_disk_kills_no_run() {
        let small = ["--innodb-log-file-size=16M"];
        super::fill_and_make_room(super::TestDatabase::Mariadb, &small);
    }
}
