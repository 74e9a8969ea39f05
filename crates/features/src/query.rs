//! The text of a view as a query that DataFusion can plan: grouped by entity and time, with
//! `reference_date` as a function.

use std::ops::ControlFlow;

use chrono::NaiveDate;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, Query, Select, SelectItem, SetExpr, Spanned, Statement as SqlStatement,
    VisitMut, visit_expressions_mut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Location, Span};
use safra_project::View;

use crate::FeatureError;
use crate::place::{of_location, parser_error};

/// Name under which views know the date for which features are computed.
pub(crate) const REFERENCE_DATE_NAME: &str = "reference_date";
/// Name under which views about events know the time of the event.
const REFERENCE_TIME_NAME: &str = "reference_time";

/// Parses the SQL of a view and adds `GROUP BY entity…, time`, so that the planner resolves these names as it
/// resolves all others.
pub(crate) fn statement(view: &View) -> Result<Statement, FeatureError> {
    let parsed = Parser::parse_sql(&GenericDialect {}, &view.sql);
    let mut statements = parsed.map_err(|error| parser_error(view, &error))?;
    let shape = |message: &str| FeatureError::shape(&view.file, message);
    if statements.len() != 1 {
        return Err(shape("a feature view is one SELECT"));
    }
    let mut statement = statements.remove(0);
    group(
        view,
        select_of(&mut statement).ok_or_else(|| {
            shape("a feature view is one SELECT, without WITH, UNION, ORDER BY or LIMIT")
        })?,
    )?;
    if !view.is_about_events() {
        let call = expression(view, "reference_date()")?;
        let _ = replace(&mut statement, REFERENCE_DATE_NAME, &call);
    }
    Ok(Statement::Statement(Box::new(statement)))
}

/// Puts an expression in the place of a name, and tells where it stood first.
fn replace(statement: &mut impl VisitMut, name: &str, by: &Expr) -> Option<Location> {
    let mut first = None;
    let _: ControlFlow<()> = visit_expressions_mut(statement, |expr| {
        if matches!(expr, Expr::Identifier(found) if found.value.eq_ignore_ascii_case(name)) {
            first = first.or(Some(expr.span().start));
            *expr = by.clone();
        }
        ControlFlow::Continue(())
    });
    first
}

/// Puts the time of the event in the place of its name, above all subqueries: these have no event.
fn with_reference_time(view: &View, select: &mut Select) -> Result<(), FeatureError> {
    let time = expression(view, &view.time)?;
    let (projection, selection) = (&mut select.projection, &mut select.selection);
    replace(projection, REFERENCE_TIME_NAME, &time);
    replace(selection, REFERENCE_TIME_NAME, &time);
    let date = replace(projection, REFERENCE_DATE_NAME, &time);
    match date.or(replace(selection, REFERENCE_DATE_NAME, &time)) {
        None => Ok(()),
        Some(Location { line, column }) => Err(FeatureError::Unsupported {
            file: view.file.clone(),
            place: of_location(view, line, column),
            expression: REFERENCE_DATE_NAME.to_owned(),
            reason:
                "a view about events has no reference date; reference_time is the time of the event"
                    .to_owned(),
        }),
    }
}

fn select_of(statement: &mut SqlStatement) -> Option<&mut Select> {
    let SqlStatement::Query(query) = statement else {
        return None;
    };
    let Query {
        with: None,
        body,
        order_by: None,
        limit_clause: None,
        fetch: None,
        ..
    } = query.as_mut()
    else {
        return None;
    };
    match body.as_mut() {
        SetExpr::Select(select) => Some(select),
        _ => None,
    }
}

/// A feature is called what the view calls it, never what the planner makes of its expression.
fn check_names(view: &View, select: &Select) -> Result<(), FeatureError> {
    let is_unnamed = |item: &&SelectItem| !matches!(item, SelectItem::ExprWithAlias { .. });
    match select.projection.iter().find(is_unnamed) {
        None => Ok(()),
        Some(item) => {
            let Location { line, column } = item.span().start;
            Err(FeatureError::Shape {
                file: view.file.clone(),
                place: of_location(view, line, column),
                message: format!("{item}: name each feature with AS"),
            })
        }
    }
}

fn group(view: &View, select: &mut Select) -> Result<(), FeatureError> {
    let ungrouped = matches!(&select.group_by, GroupByExpr::Expressions(by, _) if by.is_empty());
    if !ungrouped || select.having.is_some() || select.distinct.is_some() {
        let message = "a feature view has neither GROUP BY nor HAVING nor DISTINCT of its own: the entity of the header groups it";
        return Err(FeatureError::shape(&view.file, message));
    }
    check_names(view, select)?;
    if view.is_about_events() {
        with_reference_time(view, select)?;
    }
    let names = view.entity.iter().chain([&view.time]);
    let by = names
        .map(|name| expression(view, name))
        .collect::<Result<_, _>>()?;
    select.group_by = GroupByExpr::Expressions(by, Vec::new());
    Ok(())
}

/// An expression that does not stand in the SQL, and has no place there.
fn expression(view: &View, text: &str) -> Result<Expr, FeatureError> {
    let parsed = Parser::new(&GenericDialect {})
        .try_with_sql(text)
        .and_then(|mut parser| parser.parse_expr());
    let mut parsed = parsed.map_err(|error| {
        let message = format!("{text}: {error}");
        FeatureError::shape(&view.file, message)
    })?;
    let _: ControlFlow<()> = visit_expressions_mut(&mut parsed, |expr| {
        match expr {
            Expr::Identifier(name) => name.span = Span::empty(),
            Expr::CompoundIdentifier(names) => {
                names.iter_mut().for_each(|name| name.span = Span::empty());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    Ok(parsed)
}

/// The planner's stand-in for `reference_date`; it is replaced before anything is computed.
pub(crate) fn reference_date_function() -> ScalarUDF {
    ScalarUDF::from(ReferenceDate {
        date: None,
        // Nothing may be computed from it beforehand.
        signature: Signature::exact(vec![], Volatility::Volatile),
    })
}

/// What takes the place of the stand-in at a date, under the same name.
pub(crate) fn reference_date_at(date: NaiveDate) -> ScalarUDF {
    ScalarUDF::from(ReferenceDate {
        date: Some(date.to_epoch_days()),
        signature: Signature::exact(vec![], Volatility::Immutable),
    })
}

/// Whether an expression is the stand-in.
pub(crate) fn is_reference_date(expr: &datafusion::logical_expr::Expr) -> bool {
    use datafusion::logical_expr::Expr;
    matches!(expr, Expr::ScalarFunction(call) if call.func.name() == REFERENCE_DATE_NAME && call.args.is_empty())
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ReferenceDate {
    date: Option<i32>,
    signature: Signature,
}

impl ScalarUDFImpl for ReferenceDate {
    fn name(&self) -> &str {
        REFERENCE_DATE_NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Date32)
    }

    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match self.date {
            Some(_) => Ok(ColumnarValue::Scalar(ScalarValue::Date32(self.date))),
            None => exec_err!("reference_date has no value outside a feature"),
        }
    }
}
