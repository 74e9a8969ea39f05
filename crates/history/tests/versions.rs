//! Row versions and cuts, held against each other and against the rule itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Int64Type, UInt32Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::NaiveDate;
use proptest::prelude::*;
use safra_history::{
    ALWAYS, DAY, Dated, Form, History, HistoryError, Identity, Link, Moments, OPEN, VALID_FROM,
    VALID_TO, spans_midnight,
};
use safra_lake::source_schema;
use safra_project::{Project, ProjectFiles};

const SOURCES: &str = r#"
[parents]
file = "parents.csv"
key = ["number"]
known_at = "seen"

[parents.columns]
number = "integer"
id = "string"
seen = "timestamp"
first = { type = "string", known_at = "first_at" }
first_at = { type = "timestamp", known_at = "first_at" }
second = { type = "integer", known_at = "second_at" }
second_at = "timestamp"
secret = { type = "float", known_at = "never" }

[parents.derived.settled]
sql = "first IS NULL OR second > 1"
known_at = "LEAST(first_at, second_at + INTERVAL '1 day')"

[children]
file = "children.csv"
key = ["number"]
known_at = { from = "parents", on = "id" }

[children.columns]
number = "integer"
id = "string"
note = { type = "string", known_at = "note_on" }
note_on = "date"

[undated]
file = "undated.csv"
key = ["number"]
known_at = "always"

[undated.columns]
number = "integer"
late = { type = "string", known_at = "late_at" }
late_at = { type = "timestamp", known_at = "late_at" }
"#;

/// 2017-01-01 in days since 1970-01-01; the random days of these tests start here.
const BASE: i32 = 17_167;
const DAYS: i32 = 5;

#[derive(Debug, Clone)]
struct Parent {
    id: Option<String>,
    seen: Option<i64>,
    first: Option<String>,
    first_at: Option<i64>,
    second: Option<i64>,
    second_at: Option<i64>,
    secret: Option<f64>,
}

#[derive(Debug, Clone)]
struct Child {
    id: Option<String>,
    note: Option<String>,
    note_on: Option<i32>,
}

#[derive(Debug, Clone)]
struct Undated {
    late: Option<String>,
    late_at: Option<i64>,
}

#[derive(Debug, Clone)]
struct Tables {
    parents: Vec<Parent>,
    children: Vec<Child>,
    undated: Vec<Undated>,
}

/// A value and the time at which it becomes known: `None` when never.
type Fact = (String, Option<i64>);

/// A row of the rule: when it becomes known, and its facts by column.
struct RuleRow {
    known_at: Option<i64>,
    facts: BTreeMap<&'static str, Fact>,
}

impl RuleRow {
    fn is_known(&self, at: i64) -> bool {
        self.known_at.is_some_and(|time| time < at)
    }

    fn as_of(&self, at: i64, columns: &BTreeSet<String>) -> Vec<String> {
        let visible = |(value, known_at): &Fact| match known_at {
            Some(time) if *time < at => value.clone(),
            _ => NULL.to_owned(),
        };
        self.facts
            .iter()
            .filter(|(name, _)| columns.contains(**name))
            .map(|(_, fact)| visible(fact))
            .collect()
    }
}

const NULL: &str = "NULL";

impl Tables {
    fn rule(&self, table: &str) -> Vec<RuleRow> {
        match table {
            "parents" => self.parents.iter().enumerate().map(parent_rule).collect(),
            "children" => {
                let rule = |(number, child)| self.child_rule(number, child);
                self.children.iter().enumerate().map(rule).collect()
            }
            _ => self.undated.iter().enumerate().map(undated_rule).collect(),
        }
    }

    fn child_rule(&self, number: usize, child: &Child) -> RuleRow {
        let parents = self.parents.iter();
        let same = parents.filter(|parent| child.id.is_some() && parent.id == child.id);
        let note_at = child.note_on.map(|day| i64::from(day) * DAY);
        RuleRow {
            known_at: same.filter_map(|parent| parent.seen).min(),
            facts: BTreeMap::from([
                ("number", (number.to_string(), Some(ALWAYS))),
                ("id", (text(&child.id), Some(ALWAYS))),
                ("note", (text(&child.note), note_at)),
                ("note_on", (date_text(child.note_on), Some(ALWAYS))),
            ]),
        }
    }

    fn history(&self) -> History {
        let project = project();
        let columns = |table: &str| -> Vec<ArrayRef> {
            match table {
                "parents" => self.parent_columns(),
                "children" => self.child_columns(),
                _ => self.undated_columns(),
            }
        };
        let batches = project.sources.values().map(|source| {
            let schema = source_schema(source).0;
            let rows = RecordBatch::try_new(schema, columns(&source.name)).unwrap();
            (source, rows)
        });
        run(History::from_batches(batches)).unwrap()
    }

    fn parent_columns(&self) -> Vec<ArrayRef> {
        let rows = &self.parents;
        vec![
            numbers(rows.len()),
            strings(rows, |row| row.id.clone()),
            times(rows, |row| row.seen),
            strings(rows, |row| row.first.clone()),
            times(rows, |row| row.first_at),
            Arc::new(rows.iter().map(|row| row.second).collect::<Int64Array>()),
            times(rows, |row| row.second_at),
            Arc::new(rows.iter().map(|row| row.secret).collect::<Float64Array>()),
        ]
    }

    fn child_columns(&self) -> Vec<ArrayRef> {
        let rows = &self.children;
        vec![
            numbers(rows.len()),
            strings(rows, |row| row.id.clone()),
            strings(rows, |row| row.note.clone()),
            Arc::new(rows.iter().map(|row| row.note_on).collect::<Date32Array>()),
        ]
    }

    fn undated_columns(&self) -> Vec<ArrayRef> {
        let rows = &self.undated;
        vec![
            numbers(rows.len()),
            strings(rows, |row| row.late.clone()),
            times(rows, |row| row.late_at),
        ]
    }
}

fn parent_rule((number, row): (usize, &Parent)) -> RuleRow {
    let settled_at = match (row.first_at, row.second_at.map(|time| time + DAY)) {
        (Some(first), Some(second)) => Some(first.min(second)),
        (first, second) => first.or(second),
    };
    let settled = match (&row.first, row.second) {
        (None, _) => Some(true),
        (Some(_), second) => second.map(|second| second > 1),
    };
    let settled = settled.map_or(NULL.to_owned(), |settled| settled.to_string());
    let number_of = |value: Option<i64>| value.map_or(NULL.to_owned(), |value| value.to_string());
    RuleRow {
        known_at: row.seen,
        facts: BTreeMap::from([
            ("number", (number.to_string(), Some(ALWAYS))),
            ("id", (text(&row.id), Some(ALWAYS))),
            ("seen", (time_text(row.seen), Some(ALWAYS))),
            ("first", (text(&row.first), row.first_at)),
            ("first_at", (time_text(row.first_at), row.first_at)),
            ("second", (number_of(row.second), row.second_at)),
            ("second_at", (time_text(row.second_at), Some(ALWAYS))),
            ("secret", (NULL.to_owned(), None)),
            ("settled", (settled, settled_at)),
        ]),
    }
}

fn undated_rule((number, row): (usize, &Undated)) -> RuleRow {
    RuleRow {
        known_at: Some(ALWAYS),
        facts: BTreeMap::from([
            ("number", (number.to_string(), Some(ALWAYS))),
            ("late", (text(&row.late), row.late_at)),
            ("late_at", (time_text(row.late_at), row.late_at)),
        ]),
    }
}

fn project() -> Project {
    let mut files = ProjectFiles::default();
    files.insert(
        "safra.toml",
        "name = \"test\"\nfirst_date = \"2017-01-01\"\n",
    );
    files.insert("sources.toml", SOURCES);
    Project::from_files(&files).unwrap()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

fn numbers(rows: usize) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(0..rows as i64))
}

fn strings<T>(rows: &[T], value: impl Fn(&T) -> Option<String>) -> ArrayRef {
    Arc::new(rows.iter().map(value).collect::<StringArray>())
}

fn times<T>(rows: &[T], value: impl Fn(&T) -> Option<i64>) -> ArrayRef {
    let times = rows.iter().map(value);
    Arc::new(times.collect::<TimestampMicrosecondArray>())
}

fn text(value: &Option<String>) -> String {
    value.clone().unwrap_or(NULL.to_owned())
}

fn time_text(time: Option<i64>) -> String {
    let array = TimestampMicrosecondArray::from(vec![time]);
    cells(&(Arc::new(array) as ArrayRef)).remove(0)
}

fn date_text(day: Option<i32>) -> String {
    cells(&(Arc::new(Date32Array::from(vec![day])) as ArrayRef)).remove(0)
}

fn cells(column: &ArrayRef) -> Vec<String> {
    let options = FormatOptions::default().with_null(NULL);
    let formatter = ArrayFormatter::try_new(column, &options).unwrap();
    let rows = 0..column.len();
    rows.map(|row| formatter.value(row).to_string()).collect()
}

/// The rows of a batch as texts, with the named columns in alphabetical order, sorted.
fn rows_of(batch: &RecordBatch, columns: &BTreeSet<String>) -> Vec<Vec<String>> {
    let held = columns.iter().filter_map(|name| batch.column_by_name(name));
    let columns: Vec<Vec<String>> = held.map(cells).collect();
    let row = |row: usize| columns.iter().map(|column| column[row].clone()).collect();
    let mut rows: Vec<Vec<String>> = (0..batch.num_rows()).map(row).collect();
    rows.sort();
    rows
}

/// The relation as of `at`: `valid_from < at <= valid_to`.
fn as_of(versions: &RecordBatch, at: i64) -> RecordBatch {
    let (from, to) = intervals(versions);
    let holds: BooleanArray = (0..from.len())
        .map(|row| Some(from[row] < at && at <= to[row]))
        .collect();
    filter_record_batch(versions, &holds).unwrap()
}

fn intervals(versions: &RecordBatch) -> (Vec<i64>, Vec<i64>) {
    let times = |name: &str| {
        let column = versions.column_by_name(name).unwrap();
        assert_eq!(column.null_count(), 0, "{name}");
        column.as_primitive::<Int64Type>().values().to_vec()
    };
    (times(VALID_FROM), times(VALID_TO))
}

fn midnight(day: i32) -> i64 {
    i64::from(day) * DAY
}

fn date(day: i32) -> NaiveDate {
    NaiveDate::from_epoch_days(day).unwrap()
}

fn set(columns: &[&str]) -> BTreeSet<String> {
    columns.iter().map(|&name| name.to_owned()).collect()
}

fn column_names(dated: &Dated) -> Vec<String> {
    let schema = dated.full().schema();
    let fields = schema.fields().iter();
    fields.map(|field| field.name().clone()).collect()
}

/// Few days and few times of a day, midnights among them, so that times coincide.
fn any_time() -> impl Strategy<Value = i64> {
    let moment = prop_oneof![Just(0), Just(1), Just(DAY - 1), Just(DAY / 2)];
    (0..DAYS, moment).prop_map(|(day, moment)| midnight(BASE + day) + moment)
}

fn maybe_time() -> impl Strategy<Value = Option<i64>> {
    prop::option::weighted(0.8, any_time())
}

fn maybe_text() -> impl Strategy<Value = Option<String>> {
    prop::option::weighted(0.8, "[a-c]")
}

prop_compose! {
    fn any_parent()(
        id in maybe_text(),
        seen in maybe_time(),
        first in maybe_text(),
        first_at in maybe_time(),
        second in prop::option::of(0..4_i64),
        second_at in maybe_time(),
        secret in prop::option::of(0.0..1.0),
    ) -> Parent {
        Parent { id, seen, first, first_at, second, second_at, secret }
    }
}

fn any_tables() -> impl Strategy<Value = Tables> {
    let child = (
        maybe_text(),
        maybe_text(),
        prop::option::of(BASE..BASE + DAYS),
    )
        .prop_map(|(id, note, note_on)| Child { id, note, note_on });
    let undated =
        (maybe_text(), maybe_time()).prop_map(|(late, late_at)| Undated { late, late_at });
    let parents = prop::collection::vec(any_parent(), 0..12);
    let children = prop::collection::vec(child, 0..12);
    (parents, children, prop::collection::vec(undated, 0..6)).prop_map(
        |(parents, children, undated)| Tables {
            parents,
            children,
            undated,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn versions_as_of_a_date_are_the_cut_and_the_rule(
        tables in any_tables(),
        chosen in prop::collection::vec(any::<bool>(), 9),
    ) {
        let history = tables.history();
        for table in ["parents", "children", "undated"] {
            let dated = history.source(table).unwrap();
            let names = column_names(dated).into_iter().zip(&chosen);
            let columns: BTreeSet<String> =
                names.filter(|(_, chosen)| **chosen).map(|(name, _)| name).collect();
            let versions = dated.versions(&columns).unwrap();
            let only = history.only(&BTreeMap::from([(table.to_owned(), columns.clone())])).unwrap();
            prop_assert_eq!(&only.source(table).unwrap().versions(&columns).unwrap(), &versions);
            let midnights = dated.versions_as(&columns, &form(&[], Moments::Midnights)).unwrap();
            let (from, to) = intervals(&midnights);
            prop_assert!((0..from.len()).all(|row| spans_midnight(from[row], to[row])));
            for day in BASE - 1..=BASE + DAYS + 2 {
                let at = midnight(day);
                let known = tables.rule(table).into_iter().filter(|row| row.is_known(at));
                let mut expected: Vec<Vec<String>> =
                    known.map(|row| row.as_of(at, &columns)).collect();
                expected.sort();
                let cut = dated.cut(date(day)).unwrap();
                prop_assert_eq!(&rows_of(&cut, &columns), &expected, "{} cut at {}", table, date(day));
                let held = as_of(&versions, at);
                prop_assert_eq!(&rows_of(&held, &columns), &expected, "{} as of {}", table, date(day));
                let held = as_of(&midnights, at);
                prop_assert_eq!(&rows_of(&held, &columns), &expected, "{} at midnight {}", table, date(day));
            }
        }
    }

    #[test]
    fn rows_split_only_where_a_column_asked_for_becomes_known(
        tables in any_tables(),
        chosen in prop::collection::vec(any::<bool>(), 9),
    ) {
        let history = tables.history();
        for table in ["parents", "children", "undated"] {
            let dated = history.source(table).unwrap();
            let mut columns = set(&["number"]);
            let names = column_names(dated).into_iter().zip(&chosen);
            columns.extend(names.filter(|(_, chosen)| **chosen).map(|(name, _)| name));
            let versions = dated.versions(&columns).unwrap();
            let (from, to) = intervals(&versions);
            let number = versions.column_by_name("number").unwrap().as_primitive::<Int64Type>();
            for (row, rule) in tables.rule(table).iter().enumerate() {
                let facts = rule.facts.iter().filter(|(name, _)| columns.contains(**name));
                let moments = facts.filter_map(|(_, (_, known_at))| *known_at);
                let mut expected: BTreeSet<i64> =
                    moments.filter(|time| rule.known_at.is_some_and(|known| *time > known)).collect();
                expected.extend(rule.known_at);
                let mut own: Vec<(i64, i64)> = (0..from.len())
                    .filter(|&version| number.value(version) == row as i64)
                    .map(|version| (from[version], to[version]))
                    .collect();
                own.sort_unstable();
                let starts: Vec<i64> = own.iter().map(|interval| interval.0).collect();
                prop_assert_eq!(&starts, &expected.into_iter().collect::<Vec<_>>());
                let ends: Vec<i64> = own.iter().map(|interval| interval.1).collect();
                let next: Vec<i64> = starts.iter().copied().skip(1).chain([OPEN]).collect();
                prop_assert_eq!(ends, &next[..starts.len()]);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn texts_are_the_same_after_they_were_numbers(tables in any_tables(), pieces in 1_u32..4) {
        let history = tables.history();
        let encoded = history.encoded([identity()]).unwrap();
        prop_assert!(encoded.encodes(&[identity()]) && !history.encodes(&[identity()]));
        let all = |history: &History, table: &str| {
            let dated = history.source(table).unwrap();
            let columns: BTreeSet<String> = column_names(dated).into_iter().collect();
            let at = date(BASE + DAYS / 2);
            (dated.versions(&columns).unwrap(), dated.cut(at).unwrap())
        };
        let columns: BTreeMap<String, String> =
            identity().into_iter().collect();
        let divided = encoded.divide(&columns, &BTreeMap::new(), pieces).unwrap();
        for table in ["parents", "children"] {
            prop_assert_eq!(all(&encoded, table), all(&history, table));
            let versions = |piece| {
                let piece = encoded.piece(&divided, piece).unwrap();
                rows_of(&all(&piece, table).0, &set(&["number", "id"]))
            };
            let mut together: Vec<_> = (0..pieces).flat_map(versions).collect();
            together.sort();
            prop_assert_eq!(together, rows_of(&all(&history, table).0, &set(&["number", "id"])));
        }
    }

    #[test]
    fn a_piece_has_the_rows_that_it_refers_to(tables in any_tables(), pieces in 1_u32..4) {
        let plain = tables.history();
        let encoded = plain.encoded([identity()]).unwrap();
        let columns = BTreeMap::from([("children".to_owned(), "id".to_owned())]);
        let id = || "id".to_owned();
        let link = Link { key: id(), from: "children".to_owned(), column: id() };
        let links = BTreeMap::from([("parents".to_owned(), link)]);
        let ids = |history: &History, table: &str| -> Vec<Option<String>> {
            let rows = history.source(table).unwrap().cut(date(BASE + 10 * DAYS)).unwrap();
            let id = rows.column_by_name("id").unwrap();
            let mut ids: Vec<_> =
                id.as_string::<i32>().iter().map(|id| id.map(str::to_owned)).collect();
            ids.sort();
            ids
        };
        let all = ids(&plain, "parents");
        for history in [&plain, &encoded] {
            let divided = history.divide(&columns, &links, pieces).unwrap();
            for number in 0..pieces {
                let piece = history.piece(&divided, number).unwrap();
                let children = piece.source("children").unwrap().full();
                let children = children.column_by_name("id").unwrap();
                let children = arrow::compute::cast(children, &DataType::Utf8).unwrap();
                let referred: BTreeSet<_> = children.as_string::<i32>().iter().flatten().collect();
                let is_referred =
                    |id: &&Option<String>| id.as_deref().is_some_and(|id| referred.contains(id));
                let expected: Vec<_> = match std::ptr::eq(history, &plain) {
                    // Of texts a piece has all.
                    true => all.clone(),
                    false => all.iter().filter(is_referred).cloned().collect(),
                };
                prop_assert_eq!(ids(&piece, "parents"), expected);
            }
        }
    }

    #[test]
    fn equal_texts_of_two_sources_are_equal_numbers(tables in any_tables()) {
        let history = tables.history();
        let encoded = history.encoded([identity()]).unwrap();
        let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
        for table in ["parents", "children"] {
            let dated = |history: &History, columns: &[&str]| {
                let dated = history.source(table).unwrap();
                let versions = dated.versions_as(&set(&["id"]), &form(columns, Moments::Any));
                ArrayRef::clone(versions.unwrap().column(0))
            };
            let (texts, codes) = (dated(&history, &[]), dated(&encoded, &["id"]));
            let pairs = texts.as_string::<i32>().iter().zip(codes.as_primitive::<UInt32Type>());
            for (text, code) in pairs {
                prop_assert_eq!(text.is_some(), code.is_some());
                if let (Some(text), Some(code)) = (text, code) {
                    prop_assert_eq!(*numbers.entry(text.to_owned()).or_insert(code), code);
                }
            }
        }
        let distinct: BTreeSet<u32> = numbers.values().copied().collect();
        prop_assert_eq!(distinct.len(), numbers.len());
    }
}

/// The columns by which children find their parents.
fn identity() -> Identity {
    ["parents", "children"]
        .map(|table| (table.to_owned(), "id".to_owned()))
        .into()
}

fn form<'a>(encoded: &[&'a str], moments: Moments) -> Form<'a> {
    Form {
        encoded: encoded.iter().copied().collect(),
        moments,
    }
}

fn parent(seen: Option<i64>) -> Parent {
    Parent {
        id: Some("a".into()),
        seen,
        first: Some("x".into()),
        first_at: None,
        second: Some(2),
        second_at: None,
        secret: Some(0.5),
    }
}

fn only_parents(parents: Vec<Parent>) -> History {
    let tables = Tables {
        parents,
        children: Vec::new(),
        undated: Vec::new(),
    };
    tables.history()
}

#[test]
fn a_fact_at_midnight_is_known_the_day_after() {
    let history = only_parents(vec![parent(Some(midnight(BASE)))]);
    let dated = history.source("parents").unwrap();
    assert_eq!(dated.cut(date(BASE)).unwrap().num_rows(), 0);
    assert_eq!(dated.cut(date(BASE + 1)).unwrap().num_rows(), 1);
    let versions = dated.versions(&set(&["id"])).unwrap();
    assert_eq!(as_of(&versions, midnight(BASE)).num_rows(), 0);
    assert_eq!(as_of(&versions, midnight(BASE) + 1).num_rows(), 1);
}

#[test]
fn a_fact_just_before_midnight_is_known_at_midnight() {
    let history = only_parents(vec![parent(Some(midnight(BASE) - 1))]);
    let dated = history.source("parents").unwrap();
    assert_eq!(dated.cut(date(BASE)).unwrap().num_rows(), 1);
    let versions = dated.versions(&set(&["id"])).unwrap();
    assert_eq!(as_of(&versions, midnight(BASE)).num_rows(), 1);
}

#[test]
fn a_row_without_a_time_is_never_known() {
    let history = only_parents(vec![parent(None)]);
    let dated = history.source("parents").unwrap();
    assert_eq!(dated.full().num_rows(), 1);
    assert_eq!(dated.versions(&set(&["id"])).unwrap().num_rows(), 0);
    assert_eq!(
        dated
            .cut(NaiveDate::MAX.pred_opt().unwrap())
            .unwrap()
            .num_rows(),
        0
    );
}

#[test]
fn a_column_known_before_its_row_is_known_with_it() {
    let mut early = parent(Some(midnight(BASE + 2)));
    early.first_at = Some(midnight(BASE));
    let history = only_parents(vec![early]);
    let columns = set(&["first", "first_at"]);
    let versions = history
        .source("parents")
        .unwrap()
        .versions(&columns)
        .unwrap();
    assert_eq!(intervals(&versions), (vec![midnight(BASE + 2)], vec![OPEN]));
    assert_eq!(rows_of(&versions, &set(&["first"])), [["x"]]);
}

#[test]
fn a_never_column_is_null_and_splits_nothing() {
    let history = only_parents(vec![parent(Some(midnight(BASE)))]);
    let dated = history.source("parents").unwrap();
    let secret = set(&["secret"]);
    let versions = dated.versions(&secret).unwrap();
    assert_eq!(rows_of(&versions, &secret), [[NULL]]);
    assert_eq!(
        rows_of(&dated.cut(date(BASE + 9)).unwrap(), &secret),
        [[NULL]]
    );
    assert_eq!(rows_of(dated.full(), &secret), [["0.5"]]);
}

#[test]
fn only_late_columns_split_rows() {
    let history = only_parents(vec![parent(None)]);
    let dated = history.source("parents").unwrap();
    for late in ["first", "first_at", "second", "settled"] {
        assert!(dated.splits(&set(&["id", late])), "{late}");
    }
    assert!(!dated.splits(&set(&["id", "seen", "second_at", "secret"])));
}

#[test]
fn a_version_holds_what_became_known_at_the_same_moment() {
    let mut row = parent(Some(midnight(BASE)));
    row.first_at = Some(midnight(BASE + 1));
    row.second_at = Some(midnight(BASE + 1));
    let history = only_parents(vec![row]);
    let columns = set(&["first", "second"]);
    let versions = history
        .source("parents")
        .unwrap()
        .versions(&columns)
        .unwrap();
    assert_eq!(rows_of(&versions, &columns), [[NULL, NULL], ["x", "2"]]);
    let ends = vec![midnight(BASE + 1), OPEN];
    assert_eq!(
        intervals(&versions),
        (vec![midnight(BASE), midnight(BASE + 1)], ends)
    );
}

#[test]
fn undated_rows_are_always_known_and_say_nothing_of_the_end() {
    let tables = Tables {
        parents: vec![parent(Some(midnight(BASE) + 5))],
        children: Vec::new(),
        undated: vec![Undated {
            late: None,
            late_at: None,
        }],
    };
    let history = tables.history();
    let undated = history.source("undated").unwrap();
    let versions = undated.versions(&set(&["number"])).unwrap();
    assert_eq!(intervals(&versions), (vec![ALWAYS], vec![OPEN]));
    assert_eq!(undated.last_known(), None);
    assert_eq!(history.data_end(["undated"]), None);
    assert_eq!(
        history.data_end(["parents", "undated"]),
        Some(date(BASE + 1))
    );
}

#[test]
fn a_child_is_known_with_the_earliest_of_its_parents() {
    let child = |id: Option<&str>| Child {
        id: id.map(str::to_owned),
        note: None,
        note_on: None,
    };
    let tables = Tables {
        parents: vec![parent(Some(7)), parent(None), parent(Some(3))],
        children: vec![child(Some("a")), child(Some("b")), child(None)],
        undated: Vec::new(),
    };
    let history = tables.history();
    let known_at = history.source("children").unwrap().row_known_at();
    assert_eq!(known_at, &Int64Array::from(vec![Some(3), None, None]));
}

#[test]
fn a_derived_column_that_does_not_work_is_named() {
    let mut files = ProjectFiles::default();
    files.insert(
        "safra.toml",
        "name = \"test\"\nfirst_date = \"2017-01-01\"\n",
    );
    let wrong = SOURCES.replace("first IS NULL OR second > 1", "third > 1");
    files.insert("sources.toml", wrong);
    let project = Project::from_files(&files).unwrap();
    let source = project.source("parents").unwrap();
    let rows = RecordBatch::new_empty(source_schema(source).0);
    let error = run(History::from_batches([(source, rows)])).unwrap_err();
    assert!(matches!(error, HistoryError::Derived { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.starts_with("sources.toml: parents.derived.settled: "),
        "{text}"
    );
    assert!(text.contains("third"), "{text}");
}
