//! Runs as people name them: the whole id, the beginning of it, or `last`.
use runstone_model::ids::RunId;
use runstone_store::{RunFilter, RunRecord, SqlStore, Store as _};
use uuid::Uuid;

use crate::trouble::Trouble;

/// Fewer characters than this name nothing.
const SHORTEST: usize = 4;
/// So many are listed when a beginning fits several runs.
const LISTED: u32 = 10;

/// The run called `name`.
pub(crate) async fn find(store: &SqlStore, name: &str) -> anyhow::Result<RunId> {
    let place = || format!("run {name}");
    let unknown = |reason: &str| Trouble::at(place(), reason).mend("`runstone runs` lists them");
    if name == "last" {
        let newest = store
            .runs(RunFilter {
                limit: 1,
                ..RunFilter::default()
            })
            .await?;
        let newest = newest.first().map(|record| record.id);
        return Ok(newest.ok_or_else(|| unknown("there are no runs in this database"))?);
    }
    if let Ok(id) = name.parse::<RunId>() {
        return match store.run(id).await? {
            Some(record) => Ok(record.id),
            None => Err(unknown("there is no such run in this database").into()),
        };
    }
    let (first, last) = range(name).ok_or_else(|| {
        unknown("not the id of a run: write the id, 4 or more of its first characters, or `last`")
    })?;
    // Ids are in order of time: those with this beginning stand together.
    let beyond = last
        .as_u128()
        .checked_add(1)
        .map(|id| RunId(Uuid::from_u128(id)));
    let filter = RunFilter {
        beyond,
        limit: LISTED + 1,
        ..RunFilter::default()
    };
    let mut found = store.runs(filter).await?;
    found.retain(|record| record.id.0 >= first);
    match found.as_slice() {
        [] => Err(unknown("no run's id begins so").into()),
        [one] => Ok(one.id),
        several => Err(ambiguous(place(), several).into()),
    }
}

fn ambiguous(place: String, several: &[RunRecord]) -> Trouble {
    let listed = LISTED as usize;
    let mut details: Vec<String> = several
        .iter()
        .take(listed)
        .map(|run| {
            format!(
                "{}  {}  {}@{}",
                run.id,
                run.status.name(),
                run.flow,
                run.version
            )
        })
        .collect();
    if several.len() > listed {
        details.push("and more".to_owned());
    }
    Trouble::at(place, "several runs' ids begin so")
        .details(details)
        .mend("write more of the id")
}

/// The ids that begin with `prefix`, from the first to the last.
fn range(prefix: &str) -> Option<(Uuid, Uuid)> {
    let digits: String = prefix.chars().filter(|c| *c != '-').collect();
    let fits = (SHORTEST..32).contains(&digits.len())
        && digits.chars().all(|c| c.is_ascii_hexdigit())
        && hyphens_fit(prefix);
    if !fits {
        return None;
    }
    let end = |fill: char| {
        let all = digits
            .chars()
            .chain(std::iter::repeat(fill))
            .take(32)
            .collect::<String>();
        Uuid::parse_str(&all).ok()
    };
    Some((end('0')?, end('f')?))
}

/// Hyphens are left out, or stand where they belong.
fn hyphens_fit(prefix: &str) -> bool {
    const PLACES: [usize; 4] = [8, 13, 18, 23];
    !prefix.contains('-')
        || prefix
            .char_indices()
            .all(|(at, c)| (c == '-') == PLACES.contains(&at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_covers_exactly_the_ids_that_begin_so() {
        let shown = range("0192ab").map(|(first, last)| (first.to_string(), last.to_string()));
        let want = (
            "0192ab00-0000-0000-0000-000000000000".to_owned(),
            "0192abff-ffff-ffff-ffff-ffffffffffff".to_owned(),
        );
        assert_eq!(shown, Some(want));
        assert_eq!(range("0192ab00-00"), range("0192ab0000"));
    }

    #[test]
    fn what_is_no_beginning_of_an_id_is_refused() {
        for wrong in ["", "019", "zzzz", "0192-ab", "0192ab00--", "é192"] {
            assert_eq!(range(wrong), None, "{wrong}");
        }
    }
}
