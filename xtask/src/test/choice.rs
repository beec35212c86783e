//! `--db sqlite,mariadb`: which databases a run of the tests is limited to.

use std::process::Command;

use anyhow::{Result, bail};

use crate::servers::Kind;

/// Where the tests read it.
const VARIABLE: &str = "RUNSTONE_TEST_DATABASES";
const SQLITE: &str = "sqlite";

/// The words of the chosen databases; none means all.
pub(super) struct Choice(Vec<&'static str>);

impl Choice {
    /// Takes `--db` out of the arguments; the rest is the runner's.
    pub(super) fn read(args: &[String]) -> Result<(Self, Vec<String>)> {
        let (mut chosen, mut rest) = (Vec::new(), Vec::new());
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let names = match arg.strip_prefix("--db=") {
                Some(names) => names,
                None if arg == "--db" => args.next().map_or("", String::as_str),
                None => {
                    rest.push(arg.clone());
                    continue;
                }
            };
            for name in names.split(',') {
                chosen.push(word(name.trim())?);
            }
        }
        Ok((Self(chosen), rest))
    }

    pub(super) fn kinds(&self) -> Vec<Kind> {
        let chosen = |kind: &Kind| self.0.is_empty() || self.0.contains(&kind.word());
        Kind::ALL.into_iter().filter(chosen).collect()
    }

    pub(super) fn name_to(&self, command: &mut Command) {
        match self.0.as_slice() {
            [] => command.env_remove(VARIABLE),
            chosen => command.env(VARIABLE, chosen.join(",")),
        };
    }
}

fn word(name: &str) -> Result<&'static str> {
    // The usual one is called by its version as well.
    let name = if name == "postgres15" {
        "postgres"
    } else {
        name
    };
    let words = || [SQLITE].into_iter().chain(Kind::ALL.map(Kind::word));
    match words().find(|word| *word == name) {
        Some(word) => Ok(word),
        None => {
            let known: Vec<_> = words().collect();
            bail!(
                "--db: there is no database `{name}`; there are {}",
                known.join(", ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<(Choice, Vec<String>)> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        Choice::read(&args)
    }

    #[test]
    fn databases_are_chosen_and_the_rest_is_left_for_the_runner() -> Result<()> {
        let (choice, rest) = read(&["-p", "x", "--db", "sqlite,postgres15", "claims"])?;
        assert_eq!(rest, ["-p", "x", "claims"]);
        assert_eq!(choice.kinds(), [Kind::Postgres]);
        let mut command = Command::new("true");
        choice.name_to(&mut command);
        let set: Vec<_> = command.get_envs().collect();
        assert_eq!(set, [(VARIABLE.as_ref(), Some("sqlite,postgres".as_ref()))]);
        assert_eq!(read(&["--db=mysql"])?.0.kinds(), [Kind::Mysql]);
        assert_eq!(read(&[])?.0.kinds(), Kind::ALL);
        Ok(())
    }

    #[test]
    fn an_unknown_database_is_named_with_those_there_are() {
        let said = read(&["--db", "oracle"])
            .err()
            .map(|error| error.to_string());
        let said = said.unwrap_or_default();
        assert!(
            said.contains("`oracle`") && said.contains("mariadb"),
            "{said}"
        );
        assert!(read(&["--db"]).is_err());
    }
}
