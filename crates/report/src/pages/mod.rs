//! The HTML file: a start page, a page for each problem, and how they were made.
//!
//! All pages are sections of one file. With style sheets a browser shows the one that the address names and
//! hides the others; without, and in print, they follow one another. A new kind of page is a variant of
//! [`Page`], its view here, and a template.

mod problem;
mod segments;
mod start;
mod top;

use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;

use crate::ReportError;
use crate::input::{Page, Report, Untrained};
use crate::printer::Printer;
use problem::{Column, ProblemView};
use segments::SegmentsView;
use start::FigureView;

/// Writes a report as one HTML file that loads nothing from elsewhere.
///
/// Whatever the inputs lack is left out or said to be missing, and every text is escaped. Long lists are
/// cut and say so, which keeps a report of four problems well below 3 MB.
///
/// # Errors
/// [`ReportError`] if a template of this crate is at fault; no input is.
pub fn render(report: &Report) -> Result<String, ReportError> {
    let printer = Printer::new(report.language)?;
    let mut ids = Vec::new();
    let pages = report
        .pages
        .iter()
        .map(|page| PageView::of(&printer, page, &mut ids))
        .collect::<Result<Vec<_>, _>>()?;
    let figures = report
        .figures
        .iter()
        .map(|figure| FigureView::of(&printer, figure))
        .collect::<Result<Vec<_>, _>>()?;
    printer.render(
        "report.html",
        context! {
            report => Serde(report),
            figures => Serde(figures),
            pages => Serde(pages),
            metrics => Serde(Column::all()),
            seconds => report.steps.iter().map(|step| step.seconds).sum::<f64>(),
        },
    )
}

/// A page as the templates see it.
#[derive(Serialize)]
struct PageView<'a> {
    /// What links to the page name.
    id: String,
    title: &'a str,
    question: &'a str,
    /// What the start page says of it, as sentences in HTML.
    card: Vec<String>,
    #[serde(flatten)]
    body: Body<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Body<'a> {
    Problem(Box<ProblemView<'a>>),
    Untrained(&'a Untrained),
    Segments(Box<SegmentsView<'a>>),
}

impl<'a> PageView<'a> {
    fn of(printer: &Printer, page: &'a Page, ids: &mut Vec<String>) -> Result<Self, ReportError> {
        let (name, title, question) = match page {
            Page::Problem(problem) => (&problem.name, &problem.title, &problem.question),
            Page::Untrained(problem) => (&problem.name, &problem.title, &problem.question),
            Page::Segments(page) => (&page.name, &page.title, &page.question),
        };
        let id = new_id(name, ids);
        ids.push(id.clone());
        let (card, body) = match page {
            Page::Problem(problem) => (
                crate::sentences::card(printer, problem)?,
                Body::Problem(Box::new(ProblemView::of(printer, problem)?)),
            ),
            Page::Untrained(problem) => (Vec::new(), Body::Untrained(problem)),
            Page::Segments(page) => (
                crate::sentences::segments_answer(printer, page)?,
                Body::Segments(Box::new(SegmentsView::of(printer, page)?)),
            ),
        };
        Ok(Self {
            id,
            title: if title.is_empty() { name } else { title },
            question,
            card,
            body,
        })
    }
}

/// An identifier that no other page has: the name, if links can carry it as it is.
fn new_id(name: &str, taken: &[String]) -> String {
    const OWN: [&str; 2] = ["start", "making"];
    let is_plain = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let is_free = |id: &str| !OWN.contains(&id) && taken.iter().all(|other| other != id);
    if is_plain && is_free(name) {
        return name.to_owned();
    }
    let numbered = (taken.len() + 1..).map(|number| format!("page-{number}"));
    let mut free = numbered.filter(|id| is_free(id));
    free.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_named_after_their_problem_where_that_makes_a_link() {
        assert_eq!(new_id("late-orders", &[]), "late-orders");
        for name in ["", "start", "a b", "\"><script>", "été"] {
            assert_eq!(new_id(name, &[]), "page-1");
        }
        let taken = ["churn".to_owned(), "page-3".to_owned()];
        assert_eq!(new_id("churn", &taken), "page-4");
    }
}
