//! Which views can be computed from one piece of their sources after the other. That these give the same is held against the
//! whole wherever features are computed in these tests.

use safra_features::{CompiledView, compute};
use safra_project::Project;

use crate::marketplace::{Marketplace, Order};
use crate::support::{OLIST, OLIST_VIEWS, compile, computed, dates, olist_files, run};

/// The columns by which the sources of a view are divided, from the part of its query after FROM.
fn divided_by(entity: &str, from: &str) -> Vec<String> {
    let header =
        format!("---\nentity: {entity}\ntime: order_purchase_timestamp\nwindows: [all]\n---\n");
    let view = compile(&format!("{header}SELECT COUNT(*) AS n FROM {from}")).unwrap();
    assert!(
        view.obstacles().is_empty(),
        "{from}: {:?}",
        view.obstacles()
    );
    view.divided_by()
}

#[test]
fn views_that_keep_to_an_order_are_divided_by_it() {
    let items_and_orders = ["order_items.order_id", "orders.order_id"];
    for (entity, from) in [
        ("seller_id", "order_items JOIN orders USING (order_id)"),
        (
            "i.seller_id",
            "order_items AS i JOIN orders AS o ON o.order_id = i.order_id AND price > 1",
        ),
        (
            "seller_id",
            "(SELECT DISTINCT order_id, seller_id FROM order_items) AS sold JOIN orders USING (order_id)",
        ),
        (
            "seller_id",
            "(SELECT order_id, seller_id, SUM(price) AS total FROM order_items GROUP BY order_id, seller_id) AS sold \
             JOIN orders USING (order_id) WHERE total > 10",
        ),
        (
            "seller_id",
            "(SELECT seller_id, order_purchase_timestamp FROM order_items JOIN orders USING (order_id) \
             UNION ALL SELECT seller_id, order_approved_at FROM order_items JOIN orders USING (order_id)) AS steps",
        ),
        (
            "customer_state",
            "order_items JOIN orders USING (order_id) LEFT JOIN customers ON customers.customer_id = orders.customer_id",
        ),
        (
            "seller_state",
            "sellers JOIN order_items USING (seller_id) JOIN orders USING (order_id)",
        ),
    ] {
        assert_eq!(divided_by(entity, from), items_and_orders, "{from}");
    }
}

#[test]
fn views_that_bring_orders_together_are_divided_by_what_they_do_it_by() {
    let (items, sellers) = ("order_items.seller_id", "sellers.seller_id");
    for (entity, from, expected) in [
        (
            "one.seller_id",
            "order_items AS one JOIN order_items AS other ON one.seller_id = other.seller_id \
             JOIN orders ON orders.order_id = one.order_id",
            vec![items],
        ),
        (
            "seller_id",
            "(SELECT seller_id, MAX(price) AS dearest FROM order_items GROUP BY seller_id) AS sellers_of \
             JOIN order_items USING (seller_id) JOIN orders USING (order_id)",
            vec![items],
        ),
        (
            "seller_id",
            "(SELECT DISTINCT seller_id, order_purchase_timestamp FROM order_items JOIN orders USING (order_id)) AS days",
            vec![items],
        ),
        (
            "sellers.seller_id",
            "sellers LEFT JOIN (SELECT seller_id, order_purchase_timestamp FROM order_items JOIN orders USING (order_id)) AS sales \
             ON sales.seller_id = sellers.seller_id",
            vec![items, sellers],
        ),
        (
            "seller_id",
            "(SELECT seller_id, order_purchase_timestamp FROM order_items JOIN orders USING (order_id) \
             UNION ALL SELECT seller_id, CAST('2017-01-01' AS TIMESTAMP) FROM sellers) AS all_of_them",
            vec![items, sellers],
        ),
        (
            "seller_id",
            "(SELECT seller_id, product_id, MAX(order_purchase_timestamp) AS order_purchase_timestamp FROM order_items \
             JOIN orders USING (order_id) GROUP BY seller_id, product_id) AS sold JOIN products USING (product_id)",
            vec!["order_items.product_id", "products.product_id"],
        ),
        // Nobody has declared that these refer to one another.
        (
            "customer_state",
            "customers LEFT JOIN orders ON customers.customer_id = orders.customer_id",
            vec!["customers.customer_id", "orders.customer_id"],
        ),
        (
            "deals.business_segment",
            "deals LEFT JOIN (SELECT seller_id, order_purchase_timestamp FROM order_items JOIN orders USING (order_id)) AS sales \
             ON sales.seller_id = deals.seller_id",
            vec!["deals.seller_id", items],
        ),
    ] {
        assert_eq!(divided_by(entity, from), expected, "{from}");
    }
}

#[test]
fn a_column_that_is_known_later_divides_nothing() {
    let sold = "---\nentity: seller_id\ntime: order_purchase_timestamp\nwindows: [all]\n---\n\
        SELECT COUNT(*) AS n FROM (SELECT DISTINCT seller_id, product_id, order_purchase_timestamp FROM order_items \
        JOIN orders USING (order_id)) AS sold";
    let mut files = olist_files();
    files.insert("features/sold.sql", sold);
    let sources = files
        .iter()
        .find(|(path, _)| path.ends_with("sources.toml"));
    let sources = sources.unwrap().1.to_owned();
    let late = "product_id = { type = \"string\", known_at = \"shipping_limit_date\" }";
    let declared = "product_id = { type = \"string\", required = true }";
    assert!(sources.contains(declared));
    let divided = |sources: String| {
        let mut files = files.clone();
        files.insert("sources.toml", sources);
        let project = Project::from_files(&files).unwrap();
        let view = run(CompiledView::new(&project, project.view("sold").unwrap())).unwrap();
        view.divided_by()
    };
    let late = sources.replace(declared, late);
    assert_eq!(divided(sources), ["order_items.product_id"]);
    assert_eq!(divided(late), ["order_items.seller_id"]);
}

#[test]
fn views_that_keep_to_no_identity_are_not_divided() {
    for (entity, from) in [
        (
            "one.seller_id",
            "order_items AS one JOIN order_items AS other ON one.price = other.price \
             JOIN orders ON orders.order_id = one.order_id",
        ),
        (
            "seller_id",
            "(SELECT price, MAX(freight_value) AS most FROM order_items GROUP BY price) AS prices \
             JOIN order_items USING (price) JOIN orders USING (order_id)",
        ),
        (
            "seller_state",
            "(SELECT DISTINCT seller_state, order_purchase_timestamp FROM order_items JOIN orders USING (order_id) \
             JOIN sellers USING (seller_id)) AS days",
        ),
    ] {
        assert_eq!(divided_by(entity, from), [""; 0], "{from}");
    }
}

#[test]
fn all_shipped_views_are_divided() {
    for view in OLIST_VIEWS.iter() {
        assert!(!view.divided_by().is_empty(), "{}", view.view.name);
    }
}

#[test]
fn the_division_leaves_the_fewest_sources_whole() {
    // By leads, each piece would join all items with all orders.
    let deals = "deals JOIN leads USING (mql_id) LEFT JOIN (SELECT seller_id, order_purchase_timestamp FROM order_items \
        JOIN orders USING (order_id)) AS sales ON sales.seller_id = deals.seller_id";
    let expected = ["deals.seller_id", "order_items.seller_id"];
    assert_eq!(divided_by("leads.origin", deals), expected);
}

#[test]
fn a_piece_takes_the_rows_that_it_refers_to() {
    let followed = |entity: &str, from: &str| {
        let header =
            format!("---\nentity: {entity}\ntime: order_purchase_timestamp\nwindows: [all]\n---\n");
        let view = compile(&format!("{header}SELECT COUNT(*) AS n FROM {from}")).unwrap();
        view.followed_by_reference()
    };
    let sold = "order_items JOIN orders USING (order_id)";
    for (from, expected) in [
        (
            format!("{sold} JOIN customers USING (customer_id) JOIN products USING (product_id)"),
            vec!["customers.customer_id", "products.product_id"],
        ),
        (
            format!(
                "{sold} LEFT JOIN (SELECT customer_id, customer_state FROM customers WHERE customer_state <> 'SP') AS c USING (customer_id)"
            ),
            vec!["customers.customer_id"],
        ),
        // Customers without an order would count.
        (format!("{sold} CROSS JOIN customers"), vec![]),
        // The same table, once by its key and once as a whole.
        (
            format!(
                "{sold} JOIN products USING (product_id) CROSS JOIN (SELECT MAX(product_id) AS last FROM products GROUP BY product_category_name) AS p"
            ),
            vec![],
        ),
        (
            format!(
                "{sold} JOIN sellers USING (seller_id) JOIN sellers AS s ON s.seller_state = sellers.seller_state"
            ),
            vec![],
        ),
    ] {
        assert_eq!(followed("order_items.seller_id", &from), expected, "{from}");
    }
}

/// Orders of customers in these states, one every ten minutes.
fn orders_in(states: impl Iterator<Item = String>) -> Marketplace {
    let start = i64::from(dates(&["2017-06-01"])[0].to_epoch_days()) * safra_history::DAY;
    let order = |(number, state): (usize, String)| Order {
        id: format!("o{number}"),
        person: format!("u{number}"),
        state: Some(state),
        status: "approved".into(),
        purchased: start + number as i64 * safra_history::DAY / 144,
        approved: None,
        carrier: None,
        delivered: None,
        estimated: start + 90 * safra_history::DAY,
        items: Vec::new(),
        payments: Vec::new(),
    };
    Marketplace {
        orders: states.enumerate().map(order).collect(),
        ..Marketplace::default()
    }
}

#[test]
fn totals_are_given_up_when_later_pieces_have_too_many_entities() {
    let view = "---\nentity: customer_state\ntime: order_purchase_timestamp\nwindows: [14d]\n---\n\
        SELECT COUNT(*) AS orders FROM orders JOIN customers USING (customer_id)";
    let view = compile(view).unwrap();
    // The first piece has one state, which all others have never heard of.
    let states = (0..2_000_usize).map(|number| match number {
        0..100 => "SP".to_owned(),
        _ => format!("S{number}"),
    });
    let history = orders_in(states).history(&OLIST);
    let days: Vec<String> = (2..30).map(|day| format!("2017-06-{day:02}")).collect();
    let dates = dates(&days.iter().map(String::as_str).collect::<Vec<_>>());
    let expected = computed(&view, &history, &dates);
    assert!(expected.num_rows() > 10_000);
    let encoded = history.encoded(view.identities().iter().cloned()).unwrap();
    let found = run(compute(&view.in_pieces_of(100), &encoded, &dates)).unwrap();
    assert_eq!(found, expected);
}
