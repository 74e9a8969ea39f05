//! The four ways in which `safra sql` prints rows.

use serde_json::json;

use crate::gym::gym;
use crate::support::Home;

const QUERY: &str = "SELECT trainer_id, is_senior, CASE WHEN is_senior THEN 'knows, \"all\"' END AS remark, 1.5 AS number
    FROM trainers WHERE trainer_id IN (2, 3) ORDER BY 1";

const TABLE: &str = "\
────────────────────────────────────────────────
 trainer_id   is_senior   remark         number 
────────────────────────────────────────────────
          2   true        knows, \"all\"      1.5 
          3   false                         1.5 
────────────────────────────────────────────────
";

const BLOCKS: &str = "\
row 1
  trainer_id  2
  is_senior   true
  remark      knows, \"all\"
  number      1.5
row 2
  trainer_id  3
  is_senior   false
  remark
  number      1.5
";

fn home() -> Home {
    let (home, _) = gym();
    home.ok(&["ingest", "data"]);
    home
}

#[test]
fn rows_are_a_table_where_it_fits_and_blocks_where_not() {
    let home = home();
    let width = TABLE.lines().next().unwrap().chars().count();
    let printed = |columns| home.safra_in(columns, &["sql", QUERY]).stdout;
    assert_eq!(printed(None), TABLE);
    assert_eq!(printed(Some(width)), TABLE);
    assert_eq!(printed(Some(width - 1)), BLOCKS);
    let wide = format!("SELECT '{}' AS text", "x".repeat(120));
    assert_eq!(
        home.ok(&["sql", &wide]).stdout,
        format!("row 1\n  text  {}\n", "x".repeat(120)),
        "120 characters where there is no terminal"
    );
}

#[test]
fn a_format_that_is_asked_for_is_given_whatever_the_width() {
    let home = home();
    let printed = |format: &str, columns| {
        let arguments = ["sql", QUERY, "--format", format];
        let ran = home.safra_in(columns, &arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        ran.stdout
    };
    assert_eq!(printed("table", Some(10)), TABLE);
    assert_eq!(printed("vertical", Some(500)), BLOCKS);
    assert_eq!(
        printed("csv", None),
        "trainer_id,is_senior,remark,number\n2,true,\"knows, \"\"all\"\"\",1.5\n3,false,,1.5\n"
    );
    let expected = json!([
        {"trainer_id": 2, "is_senior": true, "remark": "knows, \"all\"", "number": 1.5},
        {"trainer_id": 3, "is_senior": false, "remark": null, "number": 1.5},
    ]);
    let parsed: serde_json::Value = serde_json::from_str(&printed("json", None)).unwrap();
    assert_eq!(parsed, expected);
    assert_eq!(home.json(&["sql", QUERY]), expected);
    let unknown = home.refused(&["sql", QUERY, "--format", "xml"]);
    assert!(unknown.contains("invalid value 'xml'"), "{unknown}");
}

#[test]
fn no_rows_are_said_to_be_none() {
    let home = home();
    let query = "SELECT * FROM trainers WHERE trainer_id > 100";
    let printed = |format: &str| home.ok(&["sql", query, "--format", format]).stdout;
    assert_eq!(printed("vertical"), "no rows\n");
    assert_eq!(printed("csv"), "trainer_id,is_senior\n");
    assert_eq!(printed("json"), "[]\n");
    assert!(printed("table").contains(" trainer_id   is_senior "));
}
