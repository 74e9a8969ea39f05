//! Accumulators: what they hold of the active rows, as rows enter and leave, gives the output at any time.

mod count;
mod decay;
mod gap;
mod order;
mod quantile;
mod sum;
mod variance;
mod walk;

use std::ops::Range;

use crate::column::{Column, Numbers};
use crate::exact::FixedPoint;
use crate::output::Writer;
use crate::plan::{Group, Kind, Plan};
use crate::prepare::{Context, Prepared};
use crate::timeline::{Chunk, Entity};

use count::Count;
use decay::{Decay, Decayed};
use gap::Gaps;
use order::{Order, Ordered};
use sum::{FloatSum, IntegerSum, NarrowTotal, WideTotal};
use variance::Variance;
pub(crate) use walk::Failure;
use walk::{Accumulator, Overflow, Walk};

/// The accumulator of one group of aggregates, and where it writes to.
pub(crate) struct Task<'a> {
    group: &'a Group,
    state: State<'a>,
    /// One for each output of the group, window after window.
    pub(crate) writers: Vec<Writer>,
    /// The first value that did not fit its output.
    pub(crate) failure: Option<Failure>,
}

/// The accumulators that keep their memory from one entity to the next.
enum State<'a> {
    Order(Order<'a>),
    Gaps(Gaps<'a>),
    Decay(Decay),
    Variance(Variance<'a>),
    /// An accumulator that needs none.
    Fresh,
}

impl<'a> Task<'a> {
    /// The task of a group, in a chunk of so many steps (at most) and output rows.
    pub(crate) fn new(group: &'a Group, context: Context<'a>, chunk: &Chunk) -> Self {
        let outputs = &group.outputs;
        let state = match group.kind {
            Kind::Order { .. } => State::Order(Order::new(outputs)),
            Kind::Gaps => State::Gaps(Gaps::new(outputs)),
            Kind::Decay { .. } => State::Decay(Decay::default()),
            Kind::Variance { .. } => State::Variance(Variance::new(outputs)),
            Kind::Count | Kind::FloatSum { .. } | Kind::IntegerSum { .. } => State::Fresh,
        };
        let windows = 0..context.calendar.windows().len();
        let cells = match group.kind.is_of_rows() {
            true => chunk.output_rows(),
            false => chunk.most_steps(),
        };
        let writer = |output| Writer::new(output, &context.plan.columns, cells);
        Self {
            group,
            state,
            writers: windows.flat_map(|_| outputs.iter().map(writer)).collect(),
            failure: None,
        }
    }

    /// Walks all windows of a prepared entity.
    pub(crate) fn entity(&mut self, context: Context<'a>, prepared: &Prepared, entity: &Entity) {
        let of_rows = self.group.kind.is_of_rows();
        let rows = entity.output.clone();
        let windows = self.writers.chunks_mut(self.group.outputs.len());
        for (events, writers) in prepared.events.iter().zip(windows) {
            let cells = walk::cells(of_rows, rows.len(), events);
            writers.iter_mut().for_each(|writer| writer.grow(cells));
        }
        let members = &prepared.members[self.group.members];
        if members.any && self.failure.is_none() {
            let walk = Walk {
                events: &prepared.events,
                members: &members.rows,
                rows,
                outputs: &self.group.outputs,
                of_rows,
                writers: &mut self.writers,
            };
            let (kind, state) = (self.group.kind, &mut self.state);
            self.failure = run(walk, kind, state, context.plan, prepared, entity).err();
        }
    }
}

fn run(
    walk: Walk,
    kind: Kind,
    state: &mut State,
    plan: &Plan,
    prepared: &Prepared,
    entity: &Entity,
) -> Result<(), Failure> {
    match (kind, state) {
        (Kind::FloatSum { fixed_point }, _) => float_sum(walk, &prepared.fixed_points[fixed_point]),
        (Kind::IntegerSum { column }, _) => {
            integer_sum(walk, &plan.columns[column], entity.rows.clone())
        }
        (Kind::Variance { fixed_point }, State::Variance(variance)) => {
            walk.run(variance, &prepared.fixed_points[fixed_point])
        }
        (Kind::Order { ranking }, State::Order(order)) => {
            let column = &plan.columns[plan.rankings[ranking].column];
            let (ranking, first_row) = (&prepared.rankings[ranking], entity.rows.start);
            walk.run(
                order,
                &Ordered {
                    ranking,
                    column,
                    first_row,
                },
            )
        }
        (Kind::Gaps, State::Gaps(gaps)) => walk.run(gaps, &prepared.days),
        (Kind::Decay { decay }, State::Decay(state)) => {
            let (weights, factors) = (&prepared.weights[decay], &plan.decays[decay].dates[..]);
            let dates = &prepared.dates[..];
            walk.run(
                state,
                &Decayed {
                    weights,
                    factors,
                    dates,
                },
            )
        }
        _ => walk.run(&mut Count::default(), &()),
    }
}

fn float_sum(walk: Walk, input: &FixedPoint) -> Result<(), Failure> {
    let outputs = walk.outputs;
    if input.is_narrow() {
        walk.run(&mut FloatSum::<NarrowTotal>::new(outputs), input)
    } else {
        walk.run(&mut FloatSum::<WideTotal>::new(outputs), input)
    }
}

fn integer_sum(walk: Walk, column: &Column, rows: Range<usize>) -> Result<(), Failure> {
    let outputs = walk.outputs;
    match column.numbers() {
        Some(Numbers::Integer(values)) => walk.run(&mut IntegerSum::new(outputs), &values[rows]),
        _ => Ok(()),
    }
}
