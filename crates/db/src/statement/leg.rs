//! Pages of lists: one neutral text is four statements, for each direction the first page and those
//! behind a key. Knows the markers that differ between them, and writes them as neutral SQL.
use crate::dialect::name;

/// Which way along an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the smallest key on.
    Up,
    /// From the greatest key on: newest first, where keys are times.
    #[default]
    Down,
}

/// Which page a statement with `{{beyond …}}`, `{{upto …}}` and `{{along}}` reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Leg {
    /// Which way.
    pub direction: Direction,
    /// The page at the end of the index: there is no key that it begins behind.
    pub first: bool,
}

impl Leg {
    /// Every one.
    pub const ALL: [Self; 4] = [
        Self::new(Direction::Up, true),
        Self::new(Direction::Up, false),
        Self::new(Direction::Down, true),
        Self::new(Direction::Down, false),
    ];

    /// The page of a walk in `direction`.
    #[must_use]
    pub const fn new(direction: Direction, first: bool) -> Self {
        Self { direction, first }
    }

    /// What the marker `text` is on this page, as neutral SQL; None for a marker of another kind.
    pub(super) fn written(self, text: &str) -> Option<Result<String, String>> {
        let text = text.trim();
        let (marker, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        match marker {
            "along" if rest.is_empty() => Some(Ok(self.along().to_owned())),
            "along" => Some(Err("`along` takes nothing".to_owned())),
            "beyond" => Some(self.beyond(rest)),
            "upto" => Some(self.upto(rest)),
            _ => None,
        }
    }

    fn along(self) -> &'static str {
        match self.direction {
            Direction::Up => "ASC",
            Direction::Down => "DESC",
        }
    }

    fn beyond(self, text: &str) -> Result<String, String> {
        let keys = keys("beyond", text)?;
        if self.first {
            return Ok("1 = 1".to_owned());
        }
        let sign = match self.direction {
            Direction::Up => '>',
            Direction::Down => '<',
        };
        Ok(match keys {
            Keys::One((column, edge)) => format!("{column} {sign} :{edge}"),
            Keys::Two(a, b) => compared(sign, (a, b), &format!("{sign}")),
        })
    }

    /// Also on the first page.
    fn upto(self, text: &str) -> Result<String, String> {
        let keys = keys("upto", text)?;
        let sign = match self.direction {
            Direction::Up => '<',
            Direction::Down => '>',
        };
        Ok(match keys {
            Keys::One((column, end)) => format!("{column} {sign}= :{end}"),
            Keys::Two(a, b) => compared(sign, (a, b), &format!("{sign}=")),
        })
    }
}

/// A column, perhaps of a table, and the parameter that it is compared with.
type Key<'a> = (&'a str, &'a str);

enum Keys<'a> {
    One(Key<'a>),
    Two(Key<'a>, Key<'a>),
}

/// With two columns the first is compared alone as well: that is what an index can begin at, on
/// every database.
fn compared(sign: char, ((a, at), (b, edge)): (Key<'_>, Key<'_>), last: &str) -> String {
    format!("{a} {sign}= :{at} AND ({a} {sign} :{at} OR {b} {last} :{edge})")
}

fn keys<'a>(marker: &str, text: &'a str) -> Result<Keys<'a>, String> {
    let read: Result<Vec<_>, _> = text.split(',').map(|text| key(marker, text)).collect();
    match read?[..] {
        [one] => Ok(Keys::One(one)),
        [one, two] => Ok(Keys::Two(one, two)),
        _ => Err(format!("`{marker}` compares one column or two")),
    }
}

fn key<'a>(marker: &str, text: &'a str) -> Result<Key<'a>, String> {
    let written = || format!("`{marker}` is written `{{{{{marker} id :edge}}}}`");
    let (column, edge) = text.trim().split_once(" :").ok_or_else(written)?;
    for part in column.split('.') {
        name(part)?;
    }
    Ok((column, name(edge)?))
}
