//! What the aggregates of a sweep share: columns, filters, preparations and accumulators.

use arrow::array::{Array, AsArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::DataType;

use crate::aggregate::half_life_microseconds;
use crate::calendar::Calendar;
use crate::column::Column;
use crate::weights::DateFactor;
use crate::{Aggregate, Function, Rows, SweepError};

/// Everything that the aggregates need, each thing once; the indexes in it point into its own lists.
#[derive(Default)]
pub(crate) struct Plan {
    /// Columns whose values are read.
    pub(crate) columns: Vec<Column>,
    /// The rows that an accumulator takes: those its filter lets through and whose value is not NULL.
    /// `None` is every row.
    pub(crate) members: Vec<Option<BooleanBuffer>>,
    pub(crate) rankings: Vec<RankingPlan>,
    pub(crate) fixed_points: Vec<FixedPointPlan>,
    pub(crate) decays: Vec<DecayPlan>,
    /// Whether the days of the rows are asked for.
    pub(crate) days: bool,
    pub(crate) groups: Vec<Group>,
}

/// A ranking of a column's values, or of its pairs of time and value.
#[derive(PartialEq, Eq)]
pub(crate) struct RankingPlan {
    pub(crate) column: usize,
    pub(crate) by_time: bool,
}

/// The exact numbers of a column.
pub(crate) struct FixedPointPlan {
    pub(crate) column: usize,
    /// Whether single terms are needed besides sums.
    pub(crate) terms: bool,
}

/// The weights of rows, or of a column's values, that halve with age.
pub(crate) struct DecayPlan {
    pub(crate) column: Option<usize>,
    /// In microseconds.
    pub(crate) half_life: f64,
    /// The factor of each reference date.
    pub(crate) dates: Vec<DateFactor>,
}

/// Aggregates that one accumulator serves.
pub(crate) struct Group {
    pub(crate) kind: Kind,
    pub(crate) members: usize,
    pub(crate) outputs: Vec<Output>,
}

/// What an accumulator is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Count,
    FloatSum { fixed_point: usize },
    IntegerSum { column: usize },
    Variance { fixed_point: usize },
    Order { ranking: usize },
    Gaps,
    Decay { decay: usize },
}

impl Kind {
    /// Whether values change from one reference date to the next even when no row enters or leaves.
    pub(crate) fn is_of_rows(self) -> bool {
        matches!(self, Kind::Decay { .. })
    }
}

/// One aggregate of a group.
#[derive(Clone)]
pub(crate) struct Output {
    /// Index of the aggregate among those asked for.
    pub(crate) index: usize,
    pub(crate) aggregate: Aggregate,
    pub(crate) cells: Cells,
}

/// What stands in the output of an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cells {
    /// Integers, 0 where there is nothing.
    Count,
    /// Floats, 0 where there is nothing.
    DecayedCount,
    Integer,
    Float,
    /// Values of a column.
    Values {
        column: usize,
    },
}

impl Plan {
    /// Checks the aggregates and plans them.
    pub(crate) fn new(
        rows: &Rows,
        aggregates: &[Aggregate],
        calendar: &Calendar,
    ) -> Result<Self, SweepError> {
        let types: Vec<_> = rows
            .columns
            .iter()
            .map(|column| column.data_type().clone())
            .collect();
        let mut planner = Planner {
            rows,
            calendar,
            types,
            columns: Vec::new(),
            members: Vec::new(),
            plan: Plan::default(),
        };
        let counts = |aggregate: &Aggregate| {
            matches!(aggregate.function, Function::CountRows | Function::Count)
        };
        let (counting, computing): (Vec<_>, Vec<_>) = aggregates
            .iter()
            .copied()
            .enumerate()
            .partition(|(_, aggregate)| counts(aggregate));
        // Counts come last: a sum of the same rows counts them anyway.
        for (index, aggregate) in computing.into_iter().chain(counting) {
            planner.add(index, aggregate)?;
        }
        Ok(planner.plan)
    }
}

struct Planner<'a> {
    rows: &'a Rows<'a>,
    calendar: &'a Calendar,
    types: Vec<DataType>,
    /// The input columns that are read, as in [`Plan::columns`].
    columns: Vec<usize>,
    /// The columns without NULL and filters, as in [`Plan::members`].
    members: Vec<(Option<usize>, Option<usize>)>,
    plan: Plan,
}

impl Planner<'_> {
    fn add(&mut self, index: usize, aggregate: Aggregate) -> Result<(), SweepError> {
        let output_type = aggregate.output_type(&self.types)?;
        let kind = self.kind(aggregate)?;
        let members = self.members(aggregate);
        let cells = match (aggregate.function, kind) {
            (Function::CountRows | Function::Count | Function::CountDistinct, _) => Cells::Count,
            (Function::DecayedCount { .. }, _) => Cells::DecayedCount,
            (Function::Quantile(_), _) => Cells::Float,
            (_, Kind::Order { ranking }) => Cells::Values {
                column: self.plan.rankings[ranking].column,
            },
            _ if output_type == DataType::Int64 => Cells::Integer,
            _ => Cells::Float,
        };
        let output = Output {
            index,
            aggregate,
            cells,
        };
        let shares = |group: &&mut Group| {
            group.members == members && (group.kind == kind || serves(group.kind, kind))
        };
        match self.plan.groups.iter_mut().find(shares) {
            Some(group) => group.outputs.push(output),
            None => self.plan.groups.push(Group {
                kind,
                members,
                outputs: vec![output],
            }),
        }
        Ok(())
    }

    fn kind(&mut self, aggregate: Aggregate) -> Result<Kind, SweepError> {
        use Function::*;
        let column = match aggregate.column {
            Some(column) if reads_values(aggregate.function) => {
                Some(self.column(column, aggregate)?)
            }
            _ => None,
        };
        Ok(match (aggregate.function, column) {
            (MeanGap | QuantileGap(_) | LongestGap, _) => {
                self.plan.days = true;
                Kind::Gaps
            }
            (DecayedCount { half_life_days } | DecayedSum { half_life_days }, column) => {
                Kind::Decay {
                    decay: self.decay(column, half_life_days),
                }
            }
            (_, None) => Kind::Count,
            (Sum | Average, Some(column)) if self.is_integer(column) => Kind::IntegerSum { column },
            (Sum | Average, Some(column)) => Kind::FloatSum {
                fixed_point: self.fixed_point(column, false),
            },
            (StandardDeviation { .. } | Variance { .. }, Some(column)) => Kind::Variance {
                fixed_point: self.fixed_point(column, true),
            },
            (First | Last, Some(column)) => Kind::Order {
                ranking: self.ranking(column, true),
            },
            (_, Some(column)) => Kind::Order {
                ranking: self.ranking(column, false),
            },
        })
    }

    fn column(&mut self, column: usize, aggregate: Aggregate) -> Result<usize, SweepError> {
        let (index, is_new) = intern(&mut self.columns, column);
        if is_new {
            self.plan
                .columns
                .push(Column::new(&self.rows.columns[column], aggregate)?);
        }
        Ok(index)
    }

    fn is_integer(&self, column: usize) -> bool {
        self.types[self.columns[column]].is_integer()
    }

    fn ranking(&mut self, column: usize, by_time: bool) -> usize {
        intern(&mut self.plan.rankings, RankingPlan { column, by_time }).0
    }

    fn fixed_point(&mut self, column: usize, terms: bool) -> usize {
        let known = self
            .plan
            .fixed_points
            .iter()
            .position(|plan| plan.column == column);
        let index = known.unwrap_or_else(|| {
            self.plan
                .fixed_points
                .push(FixedPointPlan { column, terms });
            self.plan.fixed_points.len() - 1
        });
        self.plan.fixed_points[index].terms |= terms;
        index
    }

    fn decay(&mut self, column: Option<usize>, half_life_days: f64) -> usize {
        let half_life = half_life_microseconds(half_life_days).unwrap_or(f64::NAN);
        let known = self
            .plan
            .decays
            .iter()
            .position(|plan| plan.column == column && plan.half_life == half_life);
        known.unwrap_or_else(|| {
            let dates = self
                .calendar
                .dates()
                .iter()
                .map(|&date| DateFactor::of(date, half_life))
                .collect();
            self.plan.decays.push(DecayPlan {
                column,
                half_life,
                dates,
            });
            self.plan.decays.len() - 1
        })
    }

    fn members(&mut self, aggregate: Aggregate) -> usize {
        let nulls = aggregate
            .column
            .and_then(|column| self.rows.columns[column].logical_nulls());
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
        let key = (
            aggregate.column.filter(|_| nulls.is_some()),
            aggregate.filter,
        );
        let (index, is_new) = intern(&mut self.members, key);
        if is_new {
            let members = members(self.rows, aggregate.filter, nulls);
            self.plan.members.push(members);
        }
        index
    }
}

/// The rows that a filter lets through and that are not NULL in a column with these NULLs; `None` is every row.
pub(crate) fn members(
    rows: &Rows,
    filter: Option<usize>,
    nulls: Option<NullBuffer>,
) -> Option<BooleanBuffer> {
    let passed = filter.map(|filter| {
        let filter = rows.columns[filter].as_boolean();
        filter.nulls().map_or(filter.values().clone(), |nulls| {
            filter.values() & nulls.inner()
        })
    });
    match (passed, nulls) {
        (Some(passed), Some(nulls)) => Some(&passed & nulls.inner()),
        (passed, nulls) => passed.or_else(|| nulls.map(|nulls| nulls.inner().clone())),
    }
}

/// Whether the values of the column matter, and not only whether they are NULL.
fn reads_values(function: Function) -> bool {
    use Function::*;
    !matches!(
        function,
        Count | MeanGap | QuantileGap(_) | LongestGap | DecayedCount { .. }
    )
}

/// Whether an accumulator gives another's results besides its own, for the same rows.
fn serves(own: Kind, other: Kind) -> bool {
    other == Kind::Count && matches!(own, Kind::FloatSum { .. } | Kind::IntegerSum { .. })
}

/// The index of a value in a list, to which it is added if it is new.
fn intern<T: PartialEq>(list: &mut Vec<T>, value: T) -> (usize, bool) {
    if let Some(index) = list.iter().position(|known| *known == value) {
        return (index, false);
    }
    list.push(value);
    (list.len() - 1, true)
}
