//! What is counted and summed, and the numbers that a batch of rows adds to it.

use arrow::array::Array;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;

use crate::column::{Column, Numbers};
use crate::exact::{Class, bucketed};
use crate::plan::{Cells, Group, Kind, Output, members};
use crate::{Aggregate, Function, Rows, SweepError};

/// The rows that some aggregates take, and what they ask of them.
pub(super) struct Term {
    /// The column of which values are taken, or only those rows in which it is not NULL.
    column: Option<usize>,
    filter: Option<usize>,
    /// An aggregate that reads the values, if one does.
    sum: Option<Aggregate>,
    pub(super) outputs: Vec<Output>,
    /// The slot that counts the rows.
    pub(super) count: usize,
    /// The slots that the values are added up in, in the order in which they were first needed.
    pub(super) parts: Vec<(Part, usize)>,
}

/// What numbers are added up apart from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Integers,
    /// Floats as integers in one unit, by the number of [`bucketed`].
    Bucket(i64),
    /// How many values are of a kind that is not finite.
    Special(Class),
}

/// What a row adds to the slots of its entity.
pub(super) type Changes = Vec<(usize, i128)>;

/// The terms of some aggregates. The first one takes all rows. `None` where an aggregate is none of counts, sums and
/// averages.
pub(super) fn terms_of(
    columns: &[DataType],
    aggregates: &[Aggregate],
) -> Result<Option<Vec<Term>>, SweepError> {
    let mut terms = vec![Term::new(None, None, 0)];
    for (index, &aggregate) in aggregates.iter().enumerate() {
        let output_type = aggregate.output_type(columns)?;
        let cells = match aggregate.function {
            Function::CountRows | Function::Count => Cells::Count,
            Function::Sum if output_type == DataType::Int64 => Cells::Integer,
            Function::Sum | Function::Average => Cells::Float,
            _ => return Ok(None),
        };
        let known = terms
            .iter()
            .position(|term| (term.column, term.filter) == (aggregate.column, aggregate.filter));
        let place = known.unwrap_or_else(|| {
            let count = terms.len();
            terms.push(Term::new(aggregate.column, aggregate.filter, count));
            count
        });
        let term = &mut terms[place];
        if cells != Cells::Count {
            term.sum = Some(aggregate);
        }
        term.outputs.push(Output {
            index,
            aggregate,
            cells,
        });
    }
    Ok(Some(terms))
}

impl Term {
    fn new(column: Option<usize>, filter: Option<usize>, count: usize) -> Self {
        Self {
            column,
            filter,
            sum: None,
            outputs: Vec::new(),
            count,
            parts: Vec::new(),
        }
    }

    /// Whether it adds up values, and does not only count them.
    pub(super) fn adds_values(&self) -> bool {
        self.sum.is_some()
    }

    /// Its aggregates as a group of the output.
    pub(super) fn group(&self) -> Group {
        Group {
            kind: Kind::Count,
            members: 0,
            outputs: self.outputs.clone(),
        }
    }

    /// The slot of a part, which is the next one where the part is new.
    pub(super) fn slot(&mut self, part: Part, next: &mut usize) -> usize {
        if let Some(&(_, slot)) = self.parts.iter().find(|(known, _)| *known == part) {
            return slot;
        }
        self.parts.push((part, *next));
        *next += 1;
        *next - 1
    }

    /// Reads the rows of a batch that the term takes, and their values.
    fn read(&self, rows: &Rows) -> Result<Taken, SweepError> {
        let column = self.column.map(|column| &rows.columns[column]);
        let nulls = column.and_then(|column| column.logical_nulls());
        let members = members(rows, self.filter, nulls);
        let column = match (column, self.sum) {
            (Some(column), Some(aggregate)) => Some(Column::new(column, aggregate)?),
            _ => None,
        };
        Ok(Taken { members, column })
    }
}

/// The rows of a batch that a term takes: those of `members`, or all.
struct Taken {
    members: Option<BooleanBuffer>,
    column: Option<Column>,
}

/// A batch, as the terms take it.
pub(super) struct Batch(Vec<Taken>);

impl Batch {
    pub(super) fn read(terms: &[Term], rows: &Rows) -> Result<Self, SweepError> {
        let taken = terms.iter().map(|term| term.read(rows));
        taken.collect::<Result<_, _>>().map(Self)
    }

    /// What a row adds. Slots from `next` on are new.
    pub(super) fn changes(
        &self,
        terms: &mut [Term],
        row: usize,
        next: &mut usize,
        changes: &mut Changes,
    ) {
        changes.clear();
        for (term, taken) in terms.iter_mut().zip(&self.0) {
            if !taken
                .members
                .as_ref()
                .is_none_or(|members| members.value(row))
            {
                continue;
            }
            changes.push((term.count, 1));
            let numbers = taken.column.as_ref().and_then(Column::numbers);
            if let Some((part, amount)) = numbers.and_then(|numbers| part_of(numbers, row)) {
                changes.push((term.slot(part, next), amount));
            }
        }
    }
}

/// Where a number is added up, and as what; nowhere if it is zero.
fn part_of(numbers: &Numbers, row: usize) -> Option<(Part, i128)> {
    let value = match numbers {
        Numbers::Integer(values) => return Some((Part::Integers, i128::from(values[row]))),
        Numbers::Float(values) => values[row],
    };
    match Class::of(value) {
        Class::Finite if value == 0.0 => None,
        Class::Finite => {
            let (amount, bucket) = bucketed(value);
            Some((Part::Bucket(bucket), amount))
        }
        special => Some((Part::Special(special), 1)),
    }
}
