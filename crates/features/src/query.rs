//! The text of a view as a query that DataFusion can plan: grouped by entity and time, with
//! `reference_date` as a function.

use std::ops::ControlFlow;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, Query, Select, SelectItem, SetExpr, Statement as SqlStatement,
    visit_expressions_mut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use safra_project::View;

use crate::FeatureError;

/// Name under which views know the date for which features are computed.
pub(crate) const REFERENCE_DATE_NAME: &str = "reference_date";

/// Parses the SQL of a view and adds `GROUP BY entity…, time`, so that the planner resolves these names as it
/// resolves all others.
pub(crate) fn statement(view: &View) -> Result<Statement, FeatureError> {
    let parsed = Parser::parse_sql(&GenericDialect {}, &view.sql);
    let mut statements = parsed.map_err(|error| FeatureError::Sql {
        file: view.file.clone(),
        message: located(&error, view.header_lines),
    })?;
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
    let call = expression(view, "reference_date()")?;
    let _: ControlFlow<()> = visit_expressions_mut(&mut statement, |expr| {
        if matches!(expr, Expr::Identifier(name) if name.value.eq_ignore_ascii_case(REFERENCE_DATE_NAME))
        {
            *expr = call.clone();
        }
        ControlFlow::Continue(())
    });
    Ok(Statement::Statement(Box::new(statement)))
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
    let unnamed = select.projection.iter().find_map(|item| match item {
        SelectItem::ExprWithAlias { .. } => None,
        other => Some(other.to_string()),
    });
    match unnamed {
        None => Ok(()),
        Some(item) => {
            let message = format!("{item}: name each feature with AS");
            Err(FeatureError::shape(&view.file, message))
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
    let names = view.entity.iter().chain([&view.time]);
    let by = names
        .map(|name| expression(view, name))
        .collect::<Result<_, _>>()?;
    select.group_by = GroupByExpr::Expressions(by, Vec::new());
    Ok(())
}

fn expression(view: &View, text: &str) -> Result<Expr, FeatureError> {
    Parser::new(&GenericDialect {})
        .try_with_sql(text)
        .and_then(|mut parser| parser.parse_expr())
        .map_err(|error| FeatureError::Sql {
            file: view.file.clone(),
            message: error.to_string(),
        })
}

/// The parser counts lines from the start of the SQL; people count them from the start of the file.
fn located(error: &ParserError, header_lines: usize) -> String {
    let text = error.to_string();
    let text = text
        .strip_prefix("sql parser error: ")
        .unwrap_or(&text)
        .to_owned();
    let Some((before, after)) = text.rsplit_once(" at Line: ") else {
        return text;
    };
    let Some((line, column)) = after.split_once(", Column: ") else {
        return text;
    };
    match line.parse::<usize>() {
        Ok(line) => format!("line {}, column {column}: {before}", line + header_lines),
        Err(_) => text,
    }
}

/// The planner's stand-in for `reference_date`; it is replaced before anything is computed.
pub(crate) fn reference_date_function() -> ScalarUDF {
    ScalarUDF::from(ReferenceDate {
        signature: Signature::exact(vec![], Volatility::Volatile),
    })
}

/// Whether an expression is the stand-in.
pub(crate) fn is_reference_date(expr: &datafusion::logical_expr::Expr) -> bool {
    use datafusion::logical_expr::Expr;
    matches!(expr, Expr::ScalarFunction(call) if call.func.name() == REFERENCE_DATE_NAME && call.args.is_empty())
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ReferenceDate {
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
        exec_err!("reference_date has no value outside a feature")
    }
}
