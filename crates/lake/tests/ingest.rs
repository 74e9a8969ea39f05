//! Files into the lake: what becomes of every kind of row, and of the lake when something is wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use arrow::datatypes::{DataType, TimeUnit};
use proptest::prelude::*;
use safra_lake::{Folder, IngestReport, Lake, LakeError, TableCounts, ingest};
use safra_project::{Project, ProjectFiles};
use tempfile::TempDir;

use common::{block_on, rows, version};

const SOURCES: &str = r#"
[orders]
file = "orders.csv"
key = ["order_id"]
known_at = "bought_at"
[orders.columns]
order_id = "string"
bought_at = { type = "timestamp", required = true }
promised = "date"
note = "string"
gift = "boolean"

[items]
file = "items.csv"
key = ["order_id", "item"]
known_at = { from = "orders", on = "order_id" }
references = [{ column = "seller", to = "sellers", on = "seller_id" }]
[items.columns]
order_id = "string"
item = "integer"
seller = "string"
price = { type = "float", required = true }

[places]
file = "places.csv"
optional = true
known_at = "always"
[places.columns]
place = "string"
latitude = "float"
"#;

const SELLERS: &str = r#"
[sellers]
file = "sellers.csv"
key = ["seller_id"]
known_at = "always"
[sellers.columns]
seller_id = "integer"
"#;

const ORDERS: &str = "order_id,bought_at,promised,note,gift\n\
    o1,2017-01-02 03:04:05,2017-02-01,first,true\n\
    o2,2017-01-03,,,FALSE\n";
const ITEMS: &str = "order_id,item,seller,price\no1,1,7,10.5\no1,2,8,3\no2,1.0,,1e2\n";

/// A project, a folder of files for it, and a lake.
struct Shop {
    home: TempDir,
    sources: String,
}

impl Shop {
    fn new() -> Self {
        let shop = Self {
            home: tempfile::tempdir().unwrap(),
            sources: format!("{SELLERS}{SOURCES}"),
        };
        shop.file("sellers.csv", "seller_id\n7\n8\n");
        shop.file("orders.csv", ORDERS);
        shop.file("items.csv", ITEMS);
        shop
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("files")
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::create_dir_all(self.folder()).unwrap();
        std::fs::write(self.folder().join(name), text).unwrap();
    }

    fn lake(&self) -> Lake {
        Lake::new(self.home.path().join("lake"))
    }

    fn project(&self) -> Project {
        let mut files = ProjectFiles::default();
        files.insert(
            "safra.toml",
            "name = \"shop\"\nfirst_date = \"2017-01-01\"\n",
        );
        files.insert("sources.toml", self.sources.as_str());
        Project::from_files(&files).unwrap()
    }

    fn try_ingest(&self) -> Result<IngestReport, LakeError> {
        block_on(ingest(
            &self.lake(),
            &self.project(),
            &self.folder(),
            &|_| {},
        ))
    }

    fn ingest(&self) -> BTreeMap<String, TableCounts> {
        let report = self.try_ingest().unwrap();
        for table in &report.tables {
            let sum = table.new + table.changed + table.unchanged + table.rejected;
            assert_eq!(table.read, sum, "{table:?}");
        }
        let tables = report.tables.into_iter();
        tables.map(|table| (table.table.clone(), table)).collect()
    }

    fn rows(&self, table: &str) -> Vec<String> {
        rows(&self.lake().table(Folder::Sources, table))
    }

    /// Rows as `line|column|reason|record`.
    fn rejected(&self, table: &str) -> Vec<String> {
        rows(&self.lake().table(Folder::Rejected, table))
    }

    /// The version of every table of the lake.
    fn versions(&self) -> BTreeMap<String, u64> {
        let mut versions = BTreeMap::new();
        for folder in Folder::ALL {
            for name in self.lake().table_names(folder).unwrap() {
                let table = self.lake().table(folder, &name);
                versions.insert(table.name().to_owned(), version(&table).unwrap());
            }
        }
        versions
    }
}

#[test]
fn values_are_typed_and_empty_ones_are_null() {
    let shop = Shop::new();
    shop.ingest();
    assert_eq!(
        shop.rows("orders"),
        [
            "o1|2017-01-02T03:04:05|2017-02-01|first|true",
            "o2|2017-01-03T00:00:00|-|-|false"
        ]
    );
    assert_eq!(
        shop.rows("items"),
        ["o1|1|7|10.5", "o1|2|8|3.0", "o2|1|-|100.0"]
    );
    let table = shop.lake().table(Folder::Sources, "orders");
    let schema = block_on(table.snapshot()).unwrap().unwrap().schema();
    let types: Vec<&DataType> = schema
        .fields()
        .iter()
        .map(|field| field.data_type())
        .collect();
    let timestamp = DataType::Timestamp(TimeUnit::Microsecond, None);
    assert_eq!(
        types,
        [
            &DataType::Utf8,
            &timestamp,
            &DataType::Date32,
            &DataType::Utf8,
            &DataType::Boolean
        ]
    );
}

#[test]
fn each_table_is_told_once_it_is_done() {
    let shop = Shop::new();
    let told = Mutex::new(Vec::new());
    let tell = |table: &str| told.lock().unwrap().push(table.to_owned());
    let report = block_on(ingest(&shop.lake(), &shop.project(), &shop.folder(), &tell));
    let reported: Vec<String> = report
        .unwrap()
        .tables
        .into_iter()
        .map(|table| table.table)
        .collect();
    assert_eq!(reported, ["sellers", "orders", "items", "places"]);
    assert_eq!(told.into_inner().unwrap(), reported);
}

#[test]
fn quoted_fields_keep_commas_quotes_and_line_breaks() {
    let shop = Shop::new();
    shop.file(
        "orders.csv",
        "order_id,bought_at,promised,note,gift\n\
         o1,2017-01-02,,\"one, \"\"two\"\"\nthree\n\nfour\",\n\
         o2,yesterday,,,\n\
         \"o3\",\"2017-01-03\",\"\",\"\",\"true\"\n",
    );
    shop.ingest();
    assert_eq!(
        shop.rows("orders"),
        [
            "o1|2017-01-02T00:00:00|-|one, \"two\"\nthree\n\nfour|-",
            "o3|2017-01-03T00:00:00|-|-|true"
        ]
    );
    assert_eq!(
        shop.rejected("orders"),
        ["6|bought_at|not a timestamp YYYY-MM-DD HH:MM:SS: yesterday|o2,yesterday,,,"]
    );
}

#[test]
fn rejected_rows_are_placed_whatever_ends_the_lines() {
    let lines = [
        "order_id,bought_at,promised,note,gift",
        "o1,2017-01-02,,\"a\nb\",",
        "o2,bad,,,",
        "",
        "",
        "o3,bad,,\"c\nd\ne\",",
        "o4,bad,,,",
    ];
    for (end, last) in [("\n", "\n"), ("\n", ""), ("\r\n", "\r\n"), ("\r\n", "")] {
        let shop = Shop::new();
        shop.file("orders.csv", lines.join("\n").replace('\n', end) + last);
        shop.file("items.csv", "order_id,item,seller,price\n");
        shop.ingest();
        let placed: Vec<String> = shop
            .rejected("orders")
            .iter()
            .map(|row| row.split('|').next().unwrap().to_owned())
            .collect();
        assert_eq!(
            placed,
            ["4", "7", "10"],
            "lines end in {end:?}, the last in {last:?}"
        );
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_header() {
    for header in ["\u{feff}seller_id", "\u{feff}\"seller_id\""] {
        let shop = Shop::new();
        shop.file("sellers.csv", format!("{header}\n7\n8\n"));
        let counts = shop.ingest();
        assert_eq!(
            (counts["sellers"].new, counts["sellers"].note.as_str()),
            (2, "")
        );
        assert_eq!(shop.rows("sellers"), ["7", "8"]);
    }
}

#[test]
fn columns_may_stand_in_any_order_and_others_are_left_out_and_noted() {
    let shop = Shop::new();
    shop.file("sellers.csv", "city,seller_id, zip \nrio,7,1\nrio,8,2\n");
    let counts = shop.ingest();
    assert_eq!(
        counts["sellers"].note,
        "columns not declared, left out: city, zip"
    );
    assert_eq!(shop.rows("sellers"), ["7", "8"]);
    assert_eq!(counts["orders"].note, "");
}

#[test]
fn a_file_may_be_absent_only_if_its_source_is_optional() {
    let shop = Shop::new();
    let counts = shop.ingest();
    assert_eq!(counts["places"].note, "no places.csv");
    assert_eq!(shop.rows("places"), Vec::<String>::new());

    std::fs::remove_file(shop.folder().join("items.csv")).unwrap();
    let error = shop.try_ingest().unwrap_err();
    assert!(matches!(error, LakeError::MissingFile { .. }));
    assert_eq!(
        error.to_string(),
        format!(
            "{}: no such file; the source items needs it\nhint: mark the source `optional = true` in sources.toml if the rest makes sense without it",
            shop.folder().join("items.csv").display()
        )
    );
}

#[test]
fn a_missing_folder_is_named() {
    let shop = Shop::new();
    std::fs::remove_dir_all(shop.folder()).unwrap();
    let error = shop.try_ingest().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{}: no such folder", shop.folder().display())
    );
    assert!(!shop.lake().root().exists());
}

#[test]
fn a_missing_column_is_named_with_the_header() {
    let shop = Shop::new();
    shop.file("items.csv", "order_id,item,price\no1,1,2\n");
    let error = shop.try_ingest().unwrap_err();
    assert!(matches!(error, LakeError::MissingColumn { .. }));
    assert_eq!(
        error.to_string(),
        format!(
            "{}:1: no column seller; the header has: order_id, item, price\nhint: the source items declares it in sources.toml",
            shop.folder().join("items.csv").display()
        )
    );
}

#[test]
fn an_empty_file_has_no_column() {
    let shop = Shop::new();
    shop.file("items.csv", "");
    let error = shop.try_ingest().unwrap_err().to_string();
    assert!(error.contains("items.csv:1: no column order_id"), "{error}");
}

#[test]
fn rows_that_break_a_rule_are_kept_with_the_reason() {
    let shop = Shop::new();
    let mut orders = ORDERS.as_bytes().to_vec();
    orders.extend_from_slice(b"o3,2017-01-04,,caf\xe9,\n");
    orders.extend_from_slice(b"o4,2017-01-04 10:00:00+03:00,,,\n");
    orders.extend_from_slice(b"o5,,,,\n");
    orders.extend_from_slice(b"o6,2017-01-04,2017-02-30,,\n");
    orders.extend_from_slice(b"o7,2017-01-04,,,maybe\n");
    orders.extend_from_slice(b",2017-01-04,,,\n");
    orders.extend_from_slice(b"o8,2017-01-04\n");
    orders.extend_from_slice(b"o9,2017-01-04,,,,\n");
    orders.extend_from_slice(b"o1,2017-01-09,,again,\n");
    shop.file("orders.csv", orders);
    shop.file(
        "items.csv",
        format!("{ITEMS}o3,1,7,1\no1,3,9,1\no1,2,8,4\no1,4.5,7,1\no1,5,7,inf\no1,6,7,\no1,2,8,5\n"),
    );
    let counts = shop.ingest();
    assert_eq!(
        shop.rejected("orders"),
        [
            "4|note|not UTF-8|o3,2017-01-04,,caf\u{fffd},",
            "5|bought_at|not a timestamp YYYY-MM-DD HH:MM:SS: 2017-01-04 10:00:00+03:00|o4,2017-01-04 10:00:00+03:00,,,",
            "6|bought_at|missing|o5,,,,",
            "7|promised|not a date YYYY-MM-DD: 2017-02-30|o6,2017-01-04,2017-02-30,,",
            "8|gift|not true or false: maybe|o7,2017-01-04,,,maybe",
            "9|order_id|missing|,2017-01-04,,,",
            "10||2 fields, the header has 5|o8,2017-01-04",
            "11||6 fields, the header has 5|o9,2017-01-04,,,,",
            "12|order_id|duplicate key, first on line 2|o1,2017-01-09T00:00:00,,again,",
        ]
    );
    assert_eq!(
        shop.rejected("items"),
        [
            "5|order_id|no such row in orders: order_id = o3|o3,1,7,1.0",
            "6|seller|no such row in sellers: seller_id = 9|o1,3,9,1.0",
            "7|order_id, item|duplicate key, first on line 3|o1,2,8,4.0",
            "8|item|not an integer: 4.5|o1,4.5,7,1",
            "9|price|not a finite number: inf|o1,5,7,inf",
            "10|price|missing|o1,6,7,",
            "11|order_id, item|duplicate key, first on line 3|o1,2,8,5.0",
        ]
    );
    assert_eq!((counts["orders"].read, counts["orders"].rejected), (11, 9));
    assert_eq!((counts["items"].read, counts["items"].rejected), (10, 7));
    assert_eq!((counts["orders"].rows, counts["items"].rows), (2, 3));
}

#[test]
fn a_quote_that_is_never_closed_swallows_the_rest_of_the_file() {
    let shop = Shop::new();
    shop.file("sellers.csv", "seller_id,city\n7,rio\n8,\"rio\n9,rio\n");
    shop.file("items.csv", "order_id,item,seller,price\n");
    shop.ingest();
    assert_eq!(shop.rows("sellers"), ["7", "8"]);
    shop.file("sellers.csv", "seller_id,city\n\"7,rio\n8,rio\n");
    shop.ingest();
    assert_eq!(
        shop.rejected("sellers"),
        ["2||1 fields, the header has 2|\"7,rio\n8,rio\n\""]
    );
}

#[test]
fn ingesting_twice_changes_nothing() {
    let shop = Shop::new();
    shop.file("orders.csv", format!("{ORDERS}o2,2017-01-05,,,\n"));
    shop.file("places.csv", "place,latitude\na,1\na,1\nb,\n");
    let first = shop.ingest();
    assert_eq!((first["orders"].new, first["orders"].rejected), (2, 1));
    assert_eq!(first["places"].new, 3);
    let versions = shop.versions();
    assert_eq!(
        versions.keys().collect::<Vec<_>>(),
        [
            "rejected/orders",
            "sources/items",
            "sources/orders",
            "sources/places",
            "sources/sellers"
        ]
    );
    let before: Vec<Vec<String>> = ["orders", "items", "places"]
        .map(|table| shop.rows(table))
        .into();

    let second = shop.ingest();
    for (table, counts) in &second {
        assert_eq!((counts.new, counts.changed), (0, 0), "{table}");
        assert_eq!(counts.unchanged, first[table].new, "{table}");
        assert_eq!(counts.rows, first[table].rows, "{table}");
    }
    assert_eq!(shop.versions(), versions);
    assert_eq!(shop.rejected("orders").len(), 1);
    let after: Vec<Vec<String>> = ["orders", "items", "places"]
        .map(|table| shop.rows(table))
        .into();
    assert_eq!(after, before);
}

#[test]
fn a_second_folder_adds_and_changes_rows_by_key() {
    let shop = Shop::new();
    shop.file("places.csv", "place,latitude\na,1\n");
    shop.ingest();
    let before = shop.versions();
    shop.file(
        "orders.csv",
        "order_id,bought_at,promised,note,gift\n\
         o3,2017-01-04,,,\n\
         o1,2017-01-02 03:04:05,2017-02-01,first,false\n\
         o2,2017-01-03,,,false\n\
         o4,never,,,\n",
    );
    shop.file("items.csv", "order_id,item,seller,price\no3,1,7,2\n");
    std::fs::remove_file(shop.folder().join("places.csv")).unwrap();
    let counts = shop.ingest();
    let TableCounts {
        new,
        changed,
        unchanged,
        rejected,
        rows,
        ..
    } = counts["orders"];
    assert_eq!((new, changed, unchanged, rejected, rows), (1, 1, 1, 1, 3));
    assert_eq!(
        shop.rows("orders"),
        [
            "o1|2017-01-02T03:04:05|2017-02-01|first|false",
            "o2|2017-01-03T00:00:00|-|-|false",
            "o3|2017-01-04T00:00:00|-|-|-"
        ],
        "a changed row keeps its place, a new one comes last"
    );
    assert_eq!(shop.rows("items").len(), 4, "rows that the file lacks stay");
    assert_eq!(
        shop.rows("places"),
        ["a|1.0"],
        "an absent file changes nothing"
    );
    let after = shop.versions();
    let moved: Vec<&String> = after
        .iter()
        .filter(|(table, version)| before.get(*table) != Some(version))
        .map(|(table, _)| table)
        .collect();
    assert_eq!(
        moved,
        ["rejected/orders", "sources/items", "sources/orders"]
    );
    assert_eq!((before["sources/orders"], after["sources/orders"]), (0, 1));
}

#[test]
fn an_item_may_refer_to_an_order_of_an_earlier_folder() {
    let shop = Shop::new();
    shop.ingest();
    shop.file("orders.csv", "order_id,bought_at,promised,note,gift\n");
    shop.file("items.csv", "order_id,item,seller,price\no2,9,8,1\n");
    let counts = shop.ingest();
    assert_eq!((counts["items"].new, counts["items"].rejected), (1, 0));
}

#[test]
fn a_table_without_a_key_is_replaced() {
    let shop = Shop::new();
    shop.file("places.csv", "place,latitude\na,1\na,1\nb,2\n");
    shop.ingest();
    shop.file("places.csv", "place,latitude\nb,2\nc,3\na,1\n");
    let counts = shop.ingest();
    let TableCounts {
        new,
        changed,
        unchanged,
        rows,
        ..
    } = counts["places"];
    assert_eq!((new, changed, unchanged, rows), (1, 0, 2, 3));
    assert_eq!(shop.rows("places"), ["b|2.0", "c|3.0", "a|1.0"]);
    shop.file("places.csv", "place,latitude\n");
    assert_eq!(
        shop.ingest()["places"].rows,
        0,
        "a file that is there, and empty, empties the table"
    );
    assert_eq!(shop.rows("places"), Vec::<String>::new());
}

#[test]
fn a_broken_file_leaves_all_tables_as_they_were() {
    let shop = Shop::new();
    shop.file("items.csv", "order_id,item\n");
    shop.try_ingest().unwrap_err();
    assert!(
        !shop.lake().root().exists(),
        "not even a folder before all files are read"
    );

    shop.file("items.csv", ITEMS);
    shop.ingest();
    let versions = shop.versions();
    shop.file("sellers.csv", "seller_id\n7\n8\n9\n");
    shop.file(
        "orders.csv",
        "order_id,bought_at,promised,note,gift\no9,2017-01-09,,,\nbad\n",
    );
    shop.file("items.csv", "order_id,item\n");
    shop.try_ingest().unwrap_err();
    assert_eq!(shop.versions(), versions);
    assert_eq!(shop.rows("orders").len(), 2);
    assert_eq!(shop.rows("sellers"), ["7", "8"]);
}

#[test]
fn a_changed_declaration_takes_the_rows_along() {
    let mut shop = Shop::new();
    shop.ingest();
    shop.sources = shop
        .sources
        .replace("promised = \"date\"\n", "")
        .replace(
            "note = \"string\"\n",
            "channel = \"string\"\nnote = \"string\"\n",
        )
        .replace(
            "price = { type = \"float\", required = true }",
            "price = \"string\"",
        );
    shop.file(
        "orders.csv",
        "order_id,bought_at,channel,note,gift\no2,2017-01-03,web,,false\n",
    );
    shop.file("items.csv", "order_id,item,seller,price\n");
    let counts = shop.ingest();
    assert_eq!((counts["orders"].changed, counts["orders"].rows), (1, 2));
    assert_eq!(
        shop.rows("orders"),
        [
            "o1|2017-01-02T03:04:05|-|first|true",
            "o2|2017-01-03T00:00:00|web|-|false"
        ]
    );
    assert_eq!(
        shop.rows("items"),
        ["o1|1|7|10.5", "o1|2|8|3.0", "o2|1|-|100.0"]
    );
    let table = shop.lake().table(Folder::Sources, "items");
    let schema = block_on(table.snapshot()).unwrap().unwrap().schema();
    assert_eq!(
        schema.field(3).data_type(),
        &DataType::Utf8,
        "though no row changed"
    );
}

#[test]
fn a_table_whose_creation_was_cut_short_is_created_again() {
    let shop = Shop::new();
    let log = shop
        .lake()
        .table(Folder::Sources, "places")
        .path()
        .join("_delta_log");
    std::fs::create_dir_all(log).unwrap();
    shop.ingest();
    assert_eq!(
        version(&shop.lake().table(Folder::Sources, "places")),
        Some(0)
    );
}

/// A file of the source `places` with a key, for the property below.
fn keyed(rows: &[(u8, Option<i8>)]) -> String {
    let line = |(key, value): &(u8, Option<i8>)| {
        let value = value.map_or(String::new(), |value| value.to_string());
        format!("{key},{value}\n")
    };
    "place,latitude\n".to_owned() + &rows.iter().map(line).collect::<String>()
}

/// Each key of a file once, by its first row.
fn first_of_each(rows: &[(u8, Option<i8>)]) -> BTreeMap<u8, Option<i8>> {
    let mut first = BTreeMap::new();
    for (key, value) in rows {
        first.entry(*key).or_insert(*value);
    }
    first
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn merging_files_is_what_a_map_would_do(
        files in prop::collection::vec(
            prop::collection::vec((0..12_u8, prop::option::of(0..3_i8)), 0..20),
            1..4,
        )
    ) {
        let mut shop = Shop::new();
        shop.sources = shop.sources.replace("optional = true\n", "key = [\"place\"]\n");
        let mut expected: BTreeMap<u8, Option<i8>> = BTreeMap::new();
        for file in &files {
            shop.file("places.csv", keyed(file));
            let counts = shop.ingest().remove("places").unwrap();
            let incoming = first_of_each(file);
            let new = incoming.keys().filter(|key| !expected.contains_key(key)).count();
            let same = incoming.iter().filter(|(key, value)| expected.get(key) == Some(value)).count();
            prop_assert_eq!(counts.new, new);
            prop_assert_eq!(counts.unchanged, same);
            prop_assert_eq!(counts.changed, incoming.len() - new - same);
            prop_assert_eq!(counts.rejected, file.len() - incoming.len());
            expected.extend(incoming);
            prop_assert_eq!(counts.rows, expected.len());
        }
        let mut held = shop.rows("places");
        held.sort();
        let mut wanted: Vec<String> = expected
            .iter()
            .map(|(key, value)| format!("{key}|{}", value.map_or("-".to_owned(), |value| format!("{value}.0"))))
            .collect();
        wanted.sort();
        prop_assert_eq!(held, wanted);
    }
}

#[test]
fn a_file_of_many_rows_keeps_their_order_and_lines() {
    const ORDERS: usize = 30_000;
    let shop = Shop::new();
    let text = |noted: usize| {
        let line = |order: usize| match order {
            _ if order == noted => format!("o{order},2017-01-02,,\"two\nlines\",\n"),
            20_000 => format!("o{order},bad,,,\n"),
            _ => format!("o{order},2017-01-02,,,\n"),
        };
        let orders: String = (0..ORDERS).map(line).collect();
        format!("order_id,bought_at,promised,note,gift\n{orders}o3,2017-01-03,,,\n")
    };
    let items: String = (0..ORDERS)
        .rev()
        .map(|order| format!("o{order},1,,1\n"))
        .collect();
    shop.file("orders.csv", text(10_000));
    shop.file("items.csv", format!("order_id,item,seller,price\n{items}"));
    let counts = shop.ingest();
    assert_eq!(
        (counts["orders"].new, counts["orders"].rejected),
        (ORDERS - 1, 2)
    );
    let places = |table: &str| -> Vec<String> {
        let rejected = shop.rejected(table);
        let place = |row: &String| row.splitn(4, '|').take(3).collect::<Vec<_>>().join("|");
        rejected.iter().map(place).collect()
    };
    // The note of two lines moves what comes after it.
    let bad = "20003|bought_at|not a timestamp YYYY-MM-DD HH:MM:SS: bad";
    let again = "30003|order_id|duplicate key, first on line 5";
    assert_eq!(places("orders"), [bad, again]);
    let missing = "10001|order_id|no such row in orders: order_id = o20000";
    assert_eq!(places("items"), [missing]);
    let numbers = (0..ORDERS).filter(|&order| order != 20_000);
    let rows = |noted: usize| -> Vec<String> {
        let note = |order| if order == noted { "two\nlines" } else { "-" };
        numbers
            .clone()
            .map(|order| format!("o{order}|2017-01-02T00:00:00|-|{}|-", note(order)))
            .collect()
    };
    assert_eq!(shop.rows("orders"), rows(10_000));

    shop.file("orders.csv", text(29_999));
    let counts = shop.ingest();
    let orders = &counts["orders"];
    assert_eq!(
        (orders.new, orders.changed, orders.unchanged),
        (0, 2, ORDERS - 3)
    );
    assert_eq!(shop.rows("orders"), rows(29_999));
}

#[test]
fn the_first_of_a_key_is_the_first_row_that_is_not_rejected() {
    const ITEMS: usize = 20_000;
    let shop = Shop::new();
    let items: String = (0..ITEMS).map(|item| format!("o1,{item},7,1\n")).collect();
    // The first row of its key refers to nowhere; the next one, in a later block, is the one that stays.
    let text =
        format!("order_id,item,seller,price\no1,-1,9,1\n{items}o1,-1,7,2\no1,-1,7,3\no1,0,7,3\n");
    shop.file("items.csv", text);
    let counts = shop.ingest();
    assert_eq!(
        shop.rejected("items"),
        [
            "2|seller|no such row in sellers: seller_id = 9|o1,-1,9,1.0",
            "20004|order_id, item|duplicate key, first on line 20003|o1,-1,7,3.0",
            "20005|order_id, item|duplicate key, first on line 3|o1,0,7,3.0",
        ]
    );
    assert_eq!(counts["items"].rows, ITEMS + 1);
    assert_eq!(shop.rows("items").last().unwrap(), "o1|-1|7|2.0");
}

#[test]
fn a_later_extract_changes_and_adds_rows_of_a_large_table() {
    const ORDERS: usize = 200_000;
    let shop = Shop::new();
    let text = |orders: usize, changed: &[usize]| {
        let line = |order| {
            let note = if changed.contains(&order) { "new" } else { "" };
            format!("o{order},2017-01-02,,{note},\n")
        };
        let rows: String = (0..orders).map(line).collect();
        format!("order_id,bought_at,promised,note,gift\n{rows}")
    };
    shop.file("orders.csv", text(ORDERS, &[]));
    shop.file("items.csv", "order_id,item,seller,price\n");
    shop.ingest();
    // Between the changed rows there are stretches of many batches without any.
    let changed = [0, 65_536, ORDERS - 1];
    shop.file("orders.csv", text(ORDERS + 10, &changed));
    shop.file(
        "items.csv",
        format!("order_id,item,seller,price\no{ORDERS},1,,1\no5,1,,1\n"),
    );
    let counts = shop.ingest();
    let orders = &counts["orders"];
    assert_eq!(
        (orders.new, orders.changed, orders.unchanged),
        (10, 3, ORDERS - 3)
    );
    assert_eq!(counts["items"].new, 2);
    let note = |order| if changed.contains(&order) { "new" } else { "-" };
    let expected =
        (0..ORDERS + 10).map(|order| format!("o{order}|2017-01-02T00:00:00|-|{}|-", note(order)));
    assert!(shop.rows("orders").into_iter().eq(expected));
}
