//! A whole transaction as data, so that it crosses to the database in one hop: no caller can hold
//! it open, and none can drop it half-way.
use crate::{error::Error, statement::Statement, value::Value};
use std::sync::Arc;

/// Steps that take effect together or not at all, in order.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The steps.
    pub steps: Vec<BatchStep>,
}

/// One statement of a batch, executed for each of its rows.
#[derive(Clone, Debug)]
pub struct BatchStep {
    /// The statement.
    pub statement: Arc<Statement>,
    /// The values of each execution, in the order of the statement's parameters. A step without
    /// rows does nothing; a statement without parameters has rows that are empty.
    pub rows: Vec<Vec<Value>>,
    /// How many rows the step must change in total; else the whole batch is rolled back with
    /// [`Class::Expectation`](crate::Class::Expectation).
    pub expect: Option<u64>,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a step.
    pub fn push(
        &mut self,
        statement: &Arc<Statement>,
        rows: Vec<Vec<Value>>,
        expect: Option<u64>,
    ) -> &mut Self {
        self.steps.push(BatchStep {
            statement: Arc::clone(statement),
            rows,
            expect,
        });
        self
    }

    /// How many executions it asks for.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.steps.iter().map(|step| step.rows.len()).sum()
    }

    /// Checks what can be known before anything is sent.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for (index, step) in self.steps.iter().enumerate() {
            let wanted = step.statement.params().len();
            if let Some(row) = step.rows.iter().find(|row| row.len() != wanted) {
                return Err(Error::other(format!(
                    "a row of the batch has {} values, the statement has {wanted} parameters",
                    row.len()
                ))
                .of(step.statement.name_arc())
                .at(index));
            }
        }
        Ok(())
    }
}

impl BatchStep {
    /// Holds `changed` against what the step expects.
    pub(crate) fn expected(&self, index: usize, changed: u64) -> Result<u64, Error> {
        match self.expect {
            Some(expected) if expected != changed => Err(Error::expectation(format!(
                "expected to change {expected} rows, changed {changed}; \
                 the whole batch was rolled back"
            ))
            .of(self.statement.name_arc())
            .at(index)),
            _ => Ok(changed),
        }
    }
}
