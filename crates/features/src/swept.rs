//! The aggregates of a view, as the sweep computes them.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Expr, ExprSchemable, lit, when};
use safra_sweep::{Aggregate, Function, SweepError};

use crate::FeatureError;
use crate::aggregates::{Scope, ViewAggregate};
use crate::obstacle::Obstacle;
use crate::parts::{UNKNOWN, parts_of};
use crate::rows::Places;

/// What the sweep computes for a view.
#[derive(Debug, Clone, Default)]
pub(crate) struct Swept {
    /// Each once.
    pub parts: Vec<Part>,
    /// For each aggregate of the view, how it comes from the parts.
    pub values: Vec<Value>,
}

/// An aggregate of the sweep.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    pub function: Function,
    /// What it aggregates; `None` when it counts rows.
    pub argument: Option<Expr>,
    /// The rows that it takes.
    pub filter: Option<Expr>,
}

/// An aggregate of a view, from parts by number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value {
    Part(usize),
    /// A part where another, a boolean, is this, NULL elsewhere.
    Where {
        part: usize,
        flag: usize,
        is: bool,
    },
}

impl Value {
    /// The value, over columns that hold the parts.
    pub(crate) fn over(
        self,
        part_column: impl Fn(usize) -> Expr,
    ) -> datafusion::common::Result<Expr> {
        match self {
            Value::Part(part) => Ok(part_column(part)),
            Value::Where { part, flag, is } => {
                when(part_column(flag).eq(lit(is)), part_column(part)).end()
            }
        }
    }
}

impl Swept {
    /// The parts of all aggregates, or what keeps some of them from having any.
    ///
    /// # Errors
    /// [`FeatureError`] names an aggregate that is wrong by itself, such as a percentile outside 0 to 1.
    pub(crate) fn of(
        scope: &Scope,
        aggregates: &[ViewAggregate],
    ) -> Result<Result<Self, Vec<Obstacle>>, FeatureError> {
        let (mut swept, mut obstacles) = (Self::default(), Vec::new());
        for aggregate in aggregates {
            match parts_of(scope, &aggregate.call) {
                Ok(parts) => match check(scope, &aggregate.call, &parts)? {
                    None => swept.add(parts),
                    Some(obstacle) => obstacles.push(obstacle),
                },
                Err(reason) => obstacles.push(Obstacle::new(&aggregate.output, reason)),
            }
        }
        Ok(match obstacles.is_empty() {
            true => Ok(swept),
            false => Err(obstacles),
        })
    }

    /// The parts as aggregates of columns: for each the place of its argument and of its filter.
    pub(crate) fn aggregates(&self, places: &Places) -> Vec<Aggregate> {
        let parts = self.parts.iter().zip(places);
        let parts = parts.map(|(part, &(column, filter))| Aggregate {
            function: part.function,
            column,
            filter,
        });
        parts.collect()
    }

    /// The arguments and filters of all parts.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let parts = self.parts.iter();
        parts.flat_map(|part| part.argument.iter().chain(&part.filter))
    }

    fn add(&mut self, parts: Vec<Part>) {
        let last = parts.iter().all(|part| part.function == Function::Last);
        let mut places = parts.into_iter().map(|part| {
            let held = self.parts.iter().position(|held| *held == part);
            held.unwrap_or_else(|| {
                self.parts.push(part);
                self.parts.len() - 1
            })
        });
        let value = match (places.next(), places.next()) {
            // The first row's flag is the smaller one of a tie, which says FALSE where there is a value.
            (Some(part), Some(flag)) => Value::Where {
                part,
                flag,
                is: last,
            },
            (part, _) => Value::Part(part.unwrap_or_default()),
        };
        self.values.push(value);
    }
}

/// An error for what is wrong with the parts by itself, an obstacle for types that the sweep does not know.
fn check(
    scope: &Scope,
    call: &AggregateFunction,
    parts: &[Part],
) -> Result<Option<Obstacle>, FeatureError> {
    for part in parts {
        let kind = match &part.argument {
            Some(argument) => argument.get_type(scope.schema),
            None => Ok(DataType::Null),
        };
        let kind = kind.map_err(|error| FeatureError::datafusion(&scope.view.file, error))?;
        let aggregate = Aggregate {
            function: part.function,
            column: part.argument.as_ref().map(|_| 0),
            filter: None,
        };
        match aggregate.output_type(&[kind]) {
            Ok(_) => {}
            Err(error @ (SweepError::Probability { .. } | SweepError::HalfLife { .. })) => {
                return Err(FeatureError::Sweep {
                    file: scope.view.file.clone(),
                    source: error,
                });
            }
            Err(_) => {
                let call = Expr::AggregateFunction(call.clone());
                return Ok(Some(Obstacle::new(call, UNKNOWN)));
            }
        }
    }
    Ok(None)
}
