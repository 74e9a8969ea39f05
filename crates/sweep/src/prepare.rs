//! What the accumulators need to know of an entity, computed once for all of them.

use std::ops::Range;

use arrow::buffer::BooleanBuffer;
use rayon::prelude::*;

use crate::activity::Activity;
use crate::calendar::Calendar;
use crate::days::Days;
use crate::events::{Source, WindowEvents};
use crate::exact::FixedPoint;
use crate::plan::{DecayPlan, FixedPointPlan, Plan, RankingPlan};
use crate::rank::Ranking;
use crate::timeline::{Chunk, Entity};
use crate::weights::Weights;
use crate::{Aggregate, Rows};

/// What every step of a sweep reads and none changes.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) rows: &'a Rows<'a>,
    pub(crate) calendar: &'a Calendar,
    pub(crate) activity: &'a Activity,
    pub(crate) plan: &'a Plan,
    pub(crate) aggregates: &'a [Aggregate],
}

/// Entities of so many rows are worth several threads.
const LARGE_ENTITY: usize = 1 << 14;

/// The preparations of one entity, as the [`Plan`] lists them; its memory is used again for the next.
pub(crate) struct Prepared {
    /// The date index of each of the entity's output rows.
    pub(crate) dates: Vec<u32>,
    /// The events of each window.
    pub(crate) events: Vec<WindowEvents>,
    pub(crate) members: Vec<Members>,
    pub(crate) rankings: Vec<Ranking>,
    pub(crate) fixed_points: Vec<FixedPoint>,
    pub(crate) weights: Vec<Weights>,
    pub(crate) days: Days,
}

/// The rows of the entity that an accumulator takes.
#[derive(Default)]
pub(crate) struct Members {
    pub(crate) rows: Vec<bool>,
    /// Whether there is one at all.
    pub(crate) any: bool,
}

impl Prepared {
    /// Nothing yet.
    pub(crate) fn new(context: Context) -> Self {
        let plan = context.plan;
        Self {
            dates: Vec::new(),
            events: defaults(context.calendar.windows().len()),
            members: defaults(plan.members.len()),
            rankings: defaults(plan.rankings.len()),
            fixed_points: defaults(plan.fixed_points.len()),
            weights: defaults(plan.decays.len()),
            days: Days::default(),
        }
    }

    /// Prepares an entity.
    pub(crate) fn entity(&mut self, context: Context, chunk: &Chunk, entity: &Entity) {
        let Context {
            rows,
            activity,
            plan,
            ..
        } = context;
        let segments = chunk.segments(entity);
        let (range, length) = (|| entity.rows.clone(), entity.output.len());
        if !plan.decays.is_empty() {
            self.dates.clear();
            let dates = segments
                .iter()
                .flat_map(|segment| segment.first..segment.end);
            self.dates.extend(dates);
        }
        if plan.days {
            self.days.read(rows.time, range());
        }
        each(&mut self.events, entity, |window, events| {
            let rows = range();
            events.collect(&Source {
                activity,
                rows,
                window,
                segments,
                length,
            });
        });
        each(&mut self.members, entity, |index, members| {
            members.read(plan.members[index].as_ref(), range());
        });
        each(&mut self.rankings, entity, |index, ranking| {
            rank(context, &plan.rankings[index], range(), ranking);
        });
        each(&mut self.fixed_points, entity, |index, fixed_point| {
            fix(plan, &plan.fixed_points[index], range(), fixed_point);
        });
        each(&mut self.weights, entity, |index, weights| {
            weigh(context, &plan.decays[index], range(), weights);
        });
    }
}

impl Members {
    fn read(&mut self, members: Option<&BooleanBuffer>, rows: Range<usize>) {
        self.rows.clear();
        match members {
            Some(members) => self.rows.extend(rows.map(|row| members.value(row))),
            None => self.rows.resize(rows.len(), true),
        }
        self.any = self.rows.contains(&true);
    }
}

fn rank(context: Context, plan: &RankingPlan, rows: Range<usize>, ranking: &mut Ranking) {
    let column = &context.plan.columns[plan.column];
    if plan.by_time {
        column.rank(rows, |row| context.rows.time[row], ranking);
    } else {
        column.rank(rows, |_| (), ranking);
    }
}

fn fix(plan: &Plan, fixed: &FixedPointPlan, rows: Range<usize>, fixed_point: &mut FixedPoint) {
    let column = &plan.columns[fixed.column];
    if let Some(numbers) = column.numbers() {
        fixed_point.read(numbers, rows, |row| column.is_valid(row), fixed.terms);
    }
}

fn weigh(context: Context, plan: &DecayPlan, rows: Range<usize>, weights: &mut Weights) {
    let column = plan.column.map(|column| &context.plan.columns[column]);
    let value = |row| match column {
        Some(column) => {
            let numbers = column.numbers().filter(|_| column.is_valid(row));
            numbers.map(|numbers| numbers.float(row))
        }
        None => Some(1.0),
    };
    weights.weigh(context.rows.time, plan.half_life, rows, value);
}

/// Works on each of some independent things, by several threads if the entity is large.
pub(crate) fn each<T: Send>(
    things: &mut [T],
    entity: &Entity,
    work: impl Fn(usize, &mut T) + Send + Sync,
) {
    if entity.rows.len() >= LARGE_ENTITY {
        things
            .par_iter_mut()
            .enumerate()
            .for_each(|(index, thing)| work(index, thing));
    } else {
        things
            .iter_mut()
            .enumerate()
            .for_each(|(index, thing)| work(index, thing));
    }
}

fn defaults<T: Default>(length: usize) -> Vec<T> {
    std::iter::repeat_with(T::default).take(length).collect()
}
