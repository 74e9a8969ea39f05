//! `safra init` and the project that a command works on.

use std::path::Path;

use serde_json::Value;

use crate::marketplace::with_data;
use crate::support::Ran;

#[test]
fn init_writes_a_project_that_is_read_and_keeps_what_is_there() {
    let home = with_data();
    let written = home.safra(&["init", "shop"]);
    assert_eq!((written.code, written.stdout.as_str()), (Some(0), ""));
    assert!(
        written.stderr.starts_with("shop: ") && written.stderr.contains(" files written, 0 kept")
    );
    for file in [
        "safra.toml",
        "sources.toml",
        "problems/churn.toml",
        "features/seller_sales.sql",
        "features/parts/order_steps.sql",
    ] {
        let text = std::fs::read_to_string(home.path("shop").join(file)).unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../olist")
            .join(file);
        assert_eq!(text, std::fs::read_to_string(shipped).unwrap(), "{file}");
    }
    assert_eq!(home.ok(&["-q", "init", "other"]), "");

    let settings = home.path("shop/safra.toml");
    let changed = std::fs::read_to_string(&settings)
        .unwrap()
        .replace("2017-01-01", "2018-05-01");
    std::fs::write(&settings, &changed).unwrap();
    std::fs::remove_file(home.path("shop/features/seller_sales.sql")).unwrap();
    let again = home.safra(&["init", "shop"]);
    assert!(
        again.stderr.contains("shop: 1 files written, "),
        "{}",
        again.stderr
    );
    assert_eq!(std::fs::read_to_string(&settings).unwrap(), changed);

    home.ok(&["ingest", "data"]);
    let view = ["features", "seller_sales", "--project", "shop"];
    assert_eq!(
        home.json(&view)[0]["dates"],
        2,
        "from the first date of this project"
    );
    let inside = home.json(&["features", "seller_sales"]);
    assert_eq!(
        inside[0]["dates"], 18,
        "from that of the project in the binary"
    );
    let mut here = home.command(&["features", "seller_sales", "--lake", "../lake", "--json"]);
    let there = Ran::of(here.current_dir(home.path("shop")).output().unwrap())
        .ok(&["in the project's folder"]);
    let there: Value = serde_json::from_str(&there).unwrap();
    assert_eq!(there[0]["dates"], 2, "the working directory is a project");
}
