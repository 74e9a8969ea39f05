//! The numbers of the start page.

use arrow::array::{Array, ArrayRef, Date32Array, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use safra_lake::Folder;
use safra_project::Figure;
use safra_report::{KeyFigure, Language, PeriodValue};

use crate::commands::sql;
use crate::context::Context;
use crate::error::SafraError;

const FILE: &str = "safra.toml";

/// The figures that the project declares; the sizes of the sources where it declares none. A figure whose
/// query fails is left out, and said so.
pub async fn figures(context: &Context, language: Language) -> Result<Vec<KeyFigure>, SafraError> {
    let declared = &context.project.settings.figures;
    if declared.is_empty() {
        return sources(context).await;
    }
    let mut figures = Vec::new();
    for figure in declared {
        let (label, unit) = figure.words(language.tag());
        match values(context, figure).await {
            Ok(values) => figures.push(KeyFigure {
                label: label.to_owned(),
                unit: unit.to_owned(),
                values,
            }),
            Err(error) => context.warn(&format!(
                "{FILE}: figures: {}: left out: {error}",
                figure.label
            )),
        }
    }
    Ok(figures)
}

/// How many rows each source has.
async fn sources(context: &Context) -> Result<Vec<KeyFigure>, SafraError> {
    let mut figures = Vec::new();
    for name in context.project.sources.keys() {
        let table = context.lake.table(Folder::Sources, name);
        if let Some(snapshot) = table.snapshot().await? {
            figures.push(KeyFigure {
                label: name.replace('_', " "),
                unit: String::new(),
                values: vec![PeriodValue {
                    period: String::new(),
                    value: snapshot.row_count()? as f64,
                }],
            });
        }
    }
    Ok(figures)
}

/// What the query of a figure returns, by period.
async fn values(context: &Context, figure: &Figure) -> Result<Vec<PeriodValue>, SafraError> {
    let rows = sql::query(context, &figure.sql).await?;
    let column = |name: &str, kind: &DataType| -> Result<Option<Vec<ArrayRef>>, SafraError> {
        let Some(index) = rows.header.iter().position(|column| column == name) else {
            return Ok(None);
        };
        let arrays = rows
            .batches
            .iter()
            .map(|batch| cast(batch.column(index), kind));
        let arrays = arrays.collect::<Result<_, _>>();
        arrays
            .map(Some)
            .map_err(|error| SafraError::Sql(Box::new(error.into())))
    };
    let numbers = column("value", &DataType::Float64)?
        .ok_or_else(|| SafraError::Usage("the query has no column `value`".to_owned()))?;
    let periods = column("period", &DataType::Date32)?;
    let mut values = Vec::new();
    for (batch, numbers) in numbers.iter().enumerate() {
        let Some(numbers) = numbers.as_any().downcast_ref::<Float64Array>() else {
            continue;
        };
        let periods = periods.as_ref().map(|periods| &periods[batch]);
        let days = periods.and_then(|days| days.as_any().downcast_ref::<Date32Array>());
        for row in (0..numbers.len()).filter(|&row| numbers.is_valid(row)) {
            let day = days.and_then(|days| days.value_as_date(row));
            values.push(PeriodValue {
                period: day.map(|day| day.to_string()).unwrap_or_default(),
                value: numbers.value(row),
            });
        }
    }
    values.sort_by(|a, b| a.period.cmp(&b.period));
    Ok(values)
}
