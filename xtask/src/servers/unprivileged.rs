//! The user that servers run as: ourselves, or, as they refuse root, somebody without rights.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

use crate::process::{answers, capture, run};

const NAME: &str = "postgres";

/// User and group; nothing when we are not root.
#[derive(Clone, Copy)]
pub(super) struct Owner(Option<(u32, u32)>);

impl Owner {
    pub(super) fn find() -> Result<Self> {
        static FOUND: OnceLock<Result<Owner, String>> = OnceLock::new();
        // Several servers are started at once; the user is made by the first.
        let found = FOUND.get_or_init(|| Self::look().map_err(|error| format!("{error:#}")));
        found.clone().map_err(anyhow::Error::msg)
    }

    fn look() -> Result<Self> {
        if !is_root()? {
            return Ok(Self(None));
        }
        if !answers(Command::new("id").arg(NAME)) {
            run(Command::new("useradd").args(["--system", "--shell", "/bin/false", NAME]))?;
        }
        let id = |which: &str| -> Result<u32> {
            let text = capture(Command::new("id").args([which, NAME]))?;
            text.trim()
                .parse()
                .with_context(|| format!("`id {which} {NAME}` printed {text:?}"))
        };
        Ok(Self(Some((id("-u")?, id("-g")?))))
    }

    /// Gives a folder to that user.
    pub(super) fn take(self, folder: &Path) -> Result<()> {
        if let Some((user, group)) = self.0 {
            std::os::unix::fs::chown(folder, Some(user), Some(group))?;
        }
        Ok(())
    }

    /// Lets a program run as that user, at home in `folder`.
    pub(super) fn run_in(self, command: &mut Command, folder: &Path) {
        command.current_dir(folder).env("HOME", folder);
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
    }

    /// Runs a program of a server to its end; what it said is the error.
    pub(super) fn finish(self, command: &mut Command, folder: &Path) -> Result<()> {
        self.run_in(command, folder);
        let program = command.get_program().to_string_lossy().into_owned();
        let output = command
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("could not start {program}"))?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            bail!(
                "{program} ended with {}\n{}",
                output.status,
                said.trim_end()
            );
        }
        Ok(())
    }
}

pub(super) fn is_root() -> Result<bool> {
    Ok(capture(Command::new("id").arg("-u"))?.trim() == "0")
}
