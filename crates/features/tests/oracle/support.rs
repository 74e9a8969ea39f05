//! The Olist project with the views of these tests, and how to run and compile them.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use arrow::array::RecordBatch;
use chrono::NaiveDate;
use safra_features::{CompiledView, FeatureError, compute, oracle};
use safra_history::History;
use safra_project::{Project, ProjectFiles};

use crate::comparison::{Tolerance, differences};
use crate::extra_views::EXTRA_VIEWS;
use crate::functions::FUNCTION_VIEWS;

/// The shipped project.
pub static OLIST: LazyLock<Project> =
    LazyLock::new(|| Project::from_files(&olist_files()).unwrap());

/// The shipped project's views.
pub static OLIST_VIEWS: LazyLock<Vec<CompiledView>> = LazyLock::new(|| compile_all(&OLIST));

/// The views of these tests, over the shipped project's sources.
pub static EXTRA: LazyLock<Vec<CompiledView>> =
    LazyLock::new(|| compile_all(&project_with(EXTRA_VIEWS)));

/// The views with every aggregate, over the shipped project's sources.
pub static FUNCTIONS: LazyLock<Vec<CompiledView>> =
    LazyLock::new(|| compile_all(&project_with(FUNCTION_VIEWS)));

pub fn repository() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.ancestors().nth(2).unwrap().to_owned()
}

pub fn olist_files() -> ProjectFiles {
    ProjectFiles::from_folder(&repository().join("olist")).unwrap()
}

/// The shipped sources with these views, as (name, text of the file), instead of the shipped ones.
pub fn project_with(views: &[(&str, &str)]) -> Project {
    let mut files = ProjectFiles::default();
    for (path, text) in olist_files().iter() {
        if path.ends_with("safra.toml") || path.ends_with("sources.toml") {
            files.insert(path, text);
        }
    }
    for (name, text) in views {
        files.insert(format!("features/{name}.sql"), *text);
    }
    Project::from_files(&files).unwrap()
}

pub fn compile_all(project: &Project) -> Vec<CompiledView> {
    let views = project.views.values();
    let compile = |view| run(CompiledView::new(project, view)).unwrap_or_else(|e| panic!("{e}"));
    views.map(compile).collect()
}

/// Compiles one view, given as the text of its file.
pub fn compile(text: &str) -> Result<CompiledView, FeatureError> {
    let project = project_with(&[("tested", text)]);
    run(CompiledView::new(&project, project.view("tested").unwrap()))
}

pub fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

pub fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn dates(texts: &[&str]) -> Vec<NaiveDate> {
    texts.iter().map(|text| date(text)).collect()
}

/// The features of a view, which are the same from a few pieces of its sources, from texts as numbers, and from totals where it
/// can do with them.
pub fn computed(view: &CompiledView, history: &History, dates: &[NaiveDate]) -> RecordBatch {
    // As in a backfill, where customers take their times from orders by it.
    let inherited =
        ["orders", "customers"].map(|source| (source.to_owned(), "customer_id".to_owned()));
    let identities = view.identities().iter().cloned().chain(view.followed());
    let encoded = history.encoded(identities.chain([inherited.into()]));
    let encoded = encoded.unwrap_or_else(|e| panic!("{e}"));
    assert!(encoded.encodes(view.identities()), "{}", view.view.name);
    let sources = view.reads.keys().filter_map(|name| history.source(name));
    let largest = sources.map(|source| source.full().num_rows()).max();
    let pieces = view.clone().in_pieces_of(largest.unwrap_or(0) / 3);
    let features = |view: &CompiledView, history: &History| {
        run(compute(view, history, dates)).unwrap_or_else(|e| panic!("{e}"))
    };
    let whole = features(&view.clone().holding_rows(true), history);
    for (view, holds, history, how) in [
        (&pieces, true, history, "in pieces"),
        (&pieces, true, &encoded, "from numbers in pieces"),
        (view, false, history, "from totals"),
        (&pieces, false, &encoded, "from totals of numbers in pieces"),
    ] {
        let other = features(&view.clone().holding_rows(holds), history);
        assert_eq!(whole, other, "{}: {how}", view.view.name);
    }
    whole
}

/// Where the features of all dates at once differ from the oracle's at each, in any bit.
pub fn against_oracle(
    views: &[CompiledView],
    history: &History,
    dates: &[NaiveDate],
) -> Vec<String> {
    within(views, history, dates, Tolerance::Exact)
}

/// As [`against_oracle`], with numbers as equal as this.
pub fn within(
    views: &[CompiledView],
    history: &History,
    dates: &[NaiveDate],
    tolerance: Tolerance,
) -> Vec<String> {
    let mut found = Vec::new();
    for view in views {
        // Otherwise the oracle would be held against itself.
        assert!(view.obstacles().is_empty(), "{:?}", view.obstacles());
        let computed = computed(view, history, dates);
        for &date in dates {
            let expected = run(oracle(view, history, date)).unwrap_or_else(|e| panic!("{e}"));
            found.extend(differences(view, &computed, &expected, date, tolerance));
        }
    }
    found
}
