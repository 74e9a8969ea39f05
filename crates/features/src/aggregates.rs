//! The aggregates of a view as the sweep knows them.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{Expr, ExprSchemable, cast};
use safra_project::View;
use safra_sweep::Function;

use crate::{FeatureError, query};

/// An aggregate over the rows of a view.
#[derive(Debug, Clone)]
pub(crate) struct SweptAggregate {
    /// The column of the grouped relation that it fills.
    pub output: String,
    /// The function of the sweep.
    pub function: Function,
    /// What it aggregates; `None` when it counts rows.
    pub argument: Option<Expr>,
    /// The rows that it takes.
    pub filter: Option<Expr>,
    /// The same aggregate for DataFusion, which the oracle runs.
    pub expression: AggregateFunction,
}

impl SweptAggregate {
    pub(crate) fn new(
        view: &View,
        expr: Expr,
        output: String,
        schema: &DFSchema,
    ) -> Result<Self, FeatureError> {
        let unsupported = |reason: &str| FeatureError::Unsupported {
            file: view.file.clone(),
            expression: expr.to_string(),
            reason: reason.to_owned(),
        };
        let Expr::AggregateFunction(mut call) = expr.clone().unalias_nested().data else {
            return Err(unsupported("not an aggregate"));
        };
        if mentions_reference_date(&expr) {
            return Err(unsupported(
                "reference_date stands inside an aggregate; put it around it, or derive a column with a time of its own in sources.toml",
            ));
        }
        let AggregateFunctionParams {
            args,
            distinct,
            filter,
            order_by,
            ..
        } = &mut call.params;
        if !order_by.is_empty() {
            return Err(unsupported("ORDER BY inside an aggregate is not supported"));
        }
        let rows_only = args
            .iter()
            .all(|arg| matches!(arg, Expr::Literal(value, _) if !value.is_null()));
        let function = match (call.func.name(), *distinct) {
            ("count", true) => Function::CountDistinct,
            ("count", false) if rows_only => Function::CountRows,
            ("count", false) => Function::Count,
            ("sum", false) => Function::Sum,
            ("avg", false) => Function::Average,
            ("min", _) => Function::Minimum,
            ("max", _) => Function::Maximum,
            ("median", false) => Function::Quantile(0.5),
            ("stddev", false) => Function::StandardDeviation { sample: true },
            ("stddev_pop", false) => Function::StandardDeviation { sample: false },
            ("var", false) => Function::Variance { sample: true },
            ("var_pop", false) => Function::Variance { sample: false },
            _ => {
                return Err(unsupported(
                    "not an aggregate that can be computed for many dates at once; the known ones are count, count distinct, sum, avg, min, max, median, stddev and var",
                ));
            }
        };
        if function != Function::CountRows && args.len() != 1 {
            return Err(unsupported("an aggregate of one argument is expected"));
        }
        for arg in args.iter_mut() {
            *arg = widen(arg.clone(), function, schema)
                .map_err(|error| FeatureError::datafusion(&view.file, error))?;
        }
        let argument = (function != Function::CountRows).then(|| args[0].clone());
        let filter = filter.as_deref().cloned();
        Ok(Self {
            output,
            function,
            argument,
            filter,
            expression: call,
        })
    }

    /// The aggregate for DataFusion with one more condition on its rows.
    pub(crate) fn filtered(&self, condition: Option<Expr>) -> Expr {
        let mut call = self.expression.clone();
        call.params.filter = match (call.params.filter.take(), condition) {
            (Some(own), Some(other)) => Some(Box::new(own.and(other))),
            (own, other) => own.or(other.map(Box::new)),
        };
        Expr::AggregateFunction(call)
    }
}

/// The kernel knows 64-bit numbers; a median of integers is a number between them, as in Spark.
fn widen(
    argument: Expr,
    function: Function,
    schema: &DFSchema,
) -> datafusion::common::Result<Expr> {
    let kind = argument.get_type(schema)?;
    let fractional = matches!(
        function,
        Function::Quantile(_)
            | Function::StandardDeviation { .. }
            | Function::Variance { .. }
            | Function::Average
    );
    Ok(match kind {
        DataType::Float64 => argument,
        _ if kind.is_numeric() && fractional => cast(argument, DataType::Float64),
        DataType::Float16 | DataType::Float32 | DataType::Decimal128(..) => {
            cast(argument, DataType::Float64)
        }
        DataType::Int64 => argument,
        _ if kind.is_integer() => cast(argument, DataType::Int64),
        _ => argument,
    })
}

fn mentions_reference_date(expr: &Expr) -> bool {
    let mut found = false;
    let walked = expr.apply(|part| {
        found |= query::is_reference_date(part);
        Ok(if found {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    });
    found || walked.is_err()
}

/// Replaces columns of the grouped relation and `reference_date` by other expressions.
pub(crate) fn substitute(
    expr: Expr,
    replace: &dyn Fn(&Expr) -> Option<Expr>,
) -> datafusion::common::Result<Expr> {
    Ok(expr
        .transform_up(|part| {
            Ok(match replace(&part) {
                Some(other) => Transformed::yes(other),
                None => Transformed::no(part),
            })
        })?
        .data)
}
