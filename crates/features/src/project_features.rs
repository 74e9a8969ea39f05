//! What stands around the aggregates, as expressions: ratios, differences to the reference date.

use arrow::datatypes::{Field, Schema};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::Expr;
use safra_project::View;

use crate::CompiledView;
use crate::aggregates::substitute;
use crate::query::is_reference_date;
use crate::store::{REFERENCE_DATE, REFERENCE_TIME};

/// The columns of the store for a view about events, over columns with the entity, the time of the event, and what
/// gives the value of an aggregate, by number.
pub(crate) fn event_expressions(view: &CompiledView) -> Result<Vec<Expr>> {
    let mut expressions = entity_expressions(view);
    expressions.push(column(REFERENCE_TIME));
    let aggregates = 0..view.aggregates.len();
    let values: Vec<Expr> = aggregates
        .map(|aggregate| column(&aggregate_column(0, aggregate)))
        .collect();
    for (expr, name) in view.projection.iter().zip(&view.features) {
        expressions.push(placed(view, &values, expr)?.alias(name));
    }
    Ok(expressions)
}

/// The columns of the store, over columns with the entity, the reference date, and what gives the value of
/// an aggregate in a window, both by number.
pub(crate) fn expressions(
    view: &CompiledView,
    value: &dyn Fn(usize, usize) -> Result<Expr>,
) -> Result<Vec<Expr>> {
    let mut expressions = entity_expressions(view);
    expressions.push(column(REFERENCE_DATE));
    for (w, &window) in view.view.windows.iter().enumerate() {
        let values = (0..view.aggregates.len()).map(|aggregate| value(w, aggregate));
        let values = values.collect::<Result<Vec<_>>>()?;
        for (expr, name) in view.projection.iter().zip(&view.features) {
            let feature = placed(view, &values, expr)?;
            expressions.push(feature.alias(View::feature_name(name, window)));
        }
    }
    Ok(expressions)
}

fn entity_expressions(view: &CompiledView) -> Vec<Expr> {
    let names = view.entity.iter().enumerate();
    names
        .map(|(i, name)| column(&entity_column(i)).alias(name))
        .collect()
}

/// A feature over the columns of the store.
pub(crate) fn placed(view: &CompiledView, values: &[Expr], feature: &Expr) -> Result<Expr> {
    let bare = feature.clone().unalias();
    substitute(bare, &|part| place(view, values, part))
}

fn place(view: &CompiledView, values: &[Expr], part: &Expr) -> Option<Expr> {
    if is_reference_date(part) {
        return Some(column(REFERENCE_DATE));
    }
    let Expr::Column(found) = part else {
        return None;
    };
    let name = found.flat_name();
    let aggregate = view
        .aggregates
        .iter()
        .position(|aggregate| aggregate.output == name);
    let entity = view
        .entity_outputs
        .iter()
        .position(|output| *output == name);
    match (aggregate, entity) {
        (Some(a), _) => Some(values[a].clone()),
        (None, Some(i)) => Some(column(&entity_column(i))),
        (None, None) if name == view.time_output => Some(column(REFERENCE_TIME)),
        (None, None) => None,
    }
}

pub(crate) fn entity_column(index: usize) -> String {
    format!("__entity_{index}")
}

pub(crate) fn aggregate_column(window: usize, aggregate: usize) -> String {
    format!("__aggregate_{window}_{aggregate}")
}

pub(crate) fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

/// In the store every column may be NULL, so that the schema does not depend on the data at hand.
pub(crate) fn nullable(schema: &Schema) -> Schema {
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| field.as_ref().clone().with_nullable(true))
        .collect();
    Schema::new(fields)
}
