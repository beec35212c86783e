//! An expression ready to be evaluated: names resolved, member chains joined, literal patterns
//! compiled. Built by [`super::lower`], walked by [`super::eval`]; it holds no values of a run.
use serde_json::Value;

use super::{
    Root,
    functions::{Function, text::Pattern},
    number::Arith,
};

/// One node of the tree.
#[derive(Debug)]
pub(crate) enum Node {
    Literal(Value),
    /// `state.a.b`: the whole chain of members in one node, read without copying.
    Path(Path),
    /// The variable of an enclosing loop; 0 is the innermost.
    Local {
        up: usize,
        name: String,
    },
    Member {
        of: Box<Node>,
        name: String,
    },
    Has {
        of: Box<Node>,
        name: String,
    },
    Index {
        of: Box<Node>,
        index: Box<Node>,
    },
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Negate(Box<Node>),
    If {
        test: Box<Node>,
        yes: Box<Node>,
        no: Box<Node>,
    },
    Arith(Arith, Box<Node>, Box<Node>),
    Compare(Compare, Box<Node>, Box<Node>),
    In(Box<Node>, Box<Node>),
    List(Vec<Node>),
    Object(Vec<(Node, Node)>),
    Loop(Box<Loop>),
    /// The first that is there and not null.
    Coalesce(Vec<Node>),
    Call(Function, Vec<Node>),
    /// `matches` with a literal pattern.
    Matches {
        text: Box<Node>,
        pattern: Pattern,
    },
}

/// A root and the members behind it.
#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) root: Root,
    pub(crate) members: Vec<String>,
}

/// The comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// `over.map(x, body)` and its kin.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) kind: LoopKind,
    pub(crate) over: Node,
    /// For `map` with three arguments: only items for which this is true.
    pub(crate) filter: Option<Node>,
    pub(crate) body: Node,
}

/// What a loop makes of its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoopKind {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
}

impl LoopKind {
    pub(crate) const NAMES: [&'static str; 5] = ["all", "exists", "exists_one", "map", "filter"];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "all" => Self::All,
            "exists" => Self::Exists,
            "exists_one" => Self::ExistsOne,
            "map" => Self::Map,
            "filter" => Self::Filter,
            _ => return None,
        })
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Exists => "exists",
            Self::ExistsOne => "exists_one",
            Self::Map => "map",
            Self::Filter => "filter",
        }
    }
}
