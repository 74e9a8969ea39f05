//! A small marketplace in memory, as the tables of the Olist project.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::DataType;
use safra_history::History;
use safra_lake::{Folder, Lake, Replace, source_schema};
use safra_project::{Project, Source};

use crate::support::run;

#[derive(Debug, Clone)]
pub struct Order {
    pub id: String,
    pub person: String,
    pub state: Option<String>,
    pub status: String,
    pub purchased: i64,
    pub approved: Option<i64>,
    pub carrier: Option<i64>,
    pub delivered: Option<i64>,
    pub estimated: i64,
    pub items: Vec<Item>,
    pub payments: Vec<Payment>,
}

#[derive(Debug, Clone)]
pub struct Item {
    pub seller: String,
    pub product: String,
    pub price: f64,
    pub freight: f64,
    pub limit: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct Payment {
    pub kind: Option<String>,
    pub installments: Option<i64>,
    pub value: f64,
}

/// A review may be of an order that is not there.
#[derive(Debug, Clone)]
pub struct Review {
    pub id: String,
    pub order: String,
    pub score: i64,
    pub created: Option<i64>,
    pub answered: i64,
}

#[derive(Debug, Clone)]
pub struct Product {
    pub id: String,
    pub category: Option<String>,
    pub photos: Option<i64>,
    pub weight: Option<f64>,
    pub size: Option<(f64, f64, f64)>,
}

#[derive(Debug, Clone)]
pub struct Lead {
    pub id: String,
    /// Day since 1970-01-01.
    pub contacted: i32,
    pub origin: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Deal {
    pub lead: String,
    pub seller: String,
    pub won: i64,
}

/// The sellers are `s1` to `s3`.
#[derive(Debug, Clone, Default)]
pub struct Marketplace {
    pub orders: Vec<Order>,
    pub reviews: Vec<Review>,
    pub products: Vec<Product>,
    pub leads: Vec<Lead>,
    pub deals: Vec<Deal>,
}

/// A value of a row; columns that a row does not name are NULL.
enum Cell {
    Text(String),
    Integer(i64),
    Float(f64),
    Time(i64),
    Day(i32),
}

type Row = HashMap<&'static str, Cell>;

impl Marketplace {
    /// The dated sources, without a lake.
    pub fn history(&self, project: &Project) -> History {
        let sources = project.sources.values();
        let tables = sources.map(|source| (source, self.batch(source)));
        run(History::from_batches(tables)).unwrap()
    }

    /// Writes one source, or all of them, into a lake.
    pub fn write(&self, lake: &Lake, project: &Project, only: Option<&str>) {
        let sources = project.sources.values();
        for source in sources.filter(|source| only.is_none_or(|only| only == source.name)) {
            let batches = [self.batch(source)];
            let table = lake.table(Folder::Sources, &source.name);
            let write = table.write(batches[0].schema(), &batches, &Replace::All, HashMap::new());
            run(write).unwrap();
        }
    }

    pub fn batch(&self, source: &Source) -> RecordBatch {
        let rows = self.rows(&source.name);
        let schema = source_schema(source).0;
        let fields = schema.fields().iter();
        let columns = fields
            .map(|field| column(field.data_type(), field.name(), &rows))
            .collect();
        RecordBatch::try_new(Arc::clone(&schema), columns).unwrap()
    }

    fn rows(&self, table: &str) -> Vec<Row> {
        match table {
            "orders" => self.orders.iter().map(order_row).collect(),
            "customers" => self.orders.iter().map(customer_row).collect(),
            "order_items" => self.orders.iter().flat_map(item_rows).collect(),
            "order_payments" => self.orders.iter().flat_map(payment_rows).collect(),
            "order_reviews" => self.reviews.iter().map(review_row).collect(),
            "products" => self.products.iter().map(product_row).collect(),
            "sellers" => ["SP", "RJ", "SP"]
                .into_iter()
                .zip(1..)
                .map(seller_row)
                .collect(),
            "geolocation" => PLACES.iter().map(place_row).collect(),
            "leads" => self.leads.iter().map(lead_row).collect(),
            "deals" => self.deals.iter().map(deal_row).collect(),
            _ => Vec::new(),
        }
    }
}

fn order_row(order: &Order) -> Row {
    let mut row = Row::from([
        ("order_id", Cell::Text(order.id.clone())),
        ("customer_id", Cell::Text(format!("c-{}", order.id))),
        ("order_status", Cell::Text(order.status.clone())),
        ("order_purchase_timestamp", Cell::Time(order.purchased)),
        ("order_estimated_delivery_date", Cell::Time(order.estimated)),
    ]);
    set(
        &mut row,
        "order_approved_at",
        order.approved.map(Cell::Time),
    );
    set(
        &mut row,
        "order_delivered_carrier_date",
        order.carrier.map(Cell::Time),
    );
    set(
        &mut row,
        "order_delivered_customer_date",
        order.delivered.map(Cell::Time),
    );
    row
}

fn customer_row(order: &Order) -> Row {
    let mut row = Row::from([
        ("customer_id", Cell::Text(format!("c-{}", order.id))),
        ("customer_unique_id", Cell::Text(order.person.clone())),
    ]);
    for name in ["customer_state", "customer_zip_code_prefix"] {
        set(&mut row, name, order.state.clone().map(Cell::Text));
    }
    row
}

fn item_rows(order: &Order) -> Vec<Row> {
    let row = |(number, item): (usize, &Item)| {
        let mut row = Row::from([
            ("order_id", Cell::Text(order.id.clone())),
            ("order_item_id", Cell::Integer(number as i64 + 1)),
            ("product_id", Cell::Text(item.product.clone())),
            ("seller_id", Cell::Text(item.seller.clone())),
            ("price", Cell::Float(item.price)),
            ("freight_value", Cell::Float(item.freight)),
        ]);
        set(&mut row, "shipping_limit_date", item.limit.map(Cell::Time));
        row
    };
    order.items.iter().enumerate().map(row).collect()
}

fn payment_rows(order: &Order) -> Vec<Row> {
    let row = |(number, payment): (usize, &Payment)| {
        let mut row = Row::from([
            ("order_id", Cell::Text(order.id.clone())),
            ("payment_sequential", Cell::Integer(number as i64 + 1)),
            ("payment_value", Cell::Float(payment.value)),
        ]);
        set(
            &mut row,
            "payment_type",
            payment.kind.clone().map(Cell::Text),
        );
        set(
            &mut row,
            "payment_installments",
            payment.installments.map(Cell::Integer),
        );
        row
    };
    order.payments.iter().enumerate().map(row).collect()
}

fn review_row(review: &Review) -> Row {
    let mut row = Row::from([
        ("review_id", Cell::Text(review.id.clone())),
        ("order_id", Cell::Text(review.order.clone())),
        ("review_score", Cell::Integer(review.score)),
        ("review_answer_timestamp", Cell::Time(review.answered)),
    ]);
    set(
        &mut row,
        "review_creation_date",
        review.created.map(Cell::Time),
    );
    row
}

fn product_row(product: &Product) -> Row {
    let mut row = Row::from([("product_id", Cell::Text(product.id.clone()))]);
    set(
        &mut row,
        "product_category_name",
        product.category.clone().map(Cell::Text),
    );
    set(
        &mut row,
        "product_photos_qty",
        product.photos.map(Cell::Integer),
    );
    set(
        &mut row,
        "product_weight_g",
        product.weight.map(Cell::Float),
    );
    set(
        &mut row,
        "product_length_cm",
        product.size.map(|size| Cell::Float(size.0)),
    );
    set(
        &mut row,
        "product_height_cm",
        product.size.map(|size| Cell::Float(size.1)),
    );
    set(
        &mut row,
        "product_width_cm",
        product.size.map(|size| Cell::Float(size.2)),
    );
    row
}

fn lead_row(lead: &Lead) -> Row {
    let mut row = Row::from([
        ("mql_id", Cell::Text(lead.id.clone())),
        ("first_contact_date", Cell::Day(lead.contacted)),
    ]);
    set(&mut row, "origin", lead.origin.clone().map(Cell::Text));
    row
}

fn deal_row(deal: &Deal) -> Row {
    Row::from([
        ("mql_id", Cell::Text(deal.lead.clone())),
        ("seller_id", Cell::Text(deal.seller.clone())),
        ("won_date", Cell::Time(deal.won)),
    ])
}

/// Points of zip codes, which here are states; one has none, and one point is not in Brazil.
const PLACES: [(&str, f64, f64); 4] = [
    ("SP", -23.5, -46.6),
    ("SP", -22.9, -47.1),
    ("RJ", -22.9, -43.2),
    ("RJ", 42.1, -8.7),
];

fn place_row((zip, latitude, longitude): &(&str, f64, f64)) -> Row {
    Row::from([
        ("geolocation_zip_code_prefix", Cell::Text((*zip).to_owned())),
        ("geolocation_lat", Cell::Float(*latitude)),
        ("geolocation_lng", Cell::Float(*longitude)),
    ])
}

fn seller_row((state, number): (&str, usize)) -> Row {
    Row::from([
        ("seller_id", Cell::Text(format!("s{number}"))),
        ("seller_state", Cell::Text(state.to_owned())),
        ("seller_zip_code_prefix", Cell::Text(state.to_owned())),
    ])
}

fn set(row: &mut Row, name: &'static str, value: Option<Cell>) {
    if let Some(value) = value {
        row.insert(name, value);
    }
}

fn column(kind: &DataType, name: &str, rows: &[Row]) -> ArrayRef {
    let cells = rows.iter().map(|row| row.get(name));
    macro_rules! array {
        ($array:ty, $cell:ident) => {
            Arc::new(
                cells
                    .map(|cell| match cell {
                        Some(Cell::$cell(value)) => Some(value.clone()),
                        Some(_) => panic!("{name}: not of type {kind}"),
                        None => None,
                    })
                    .collect::<$array>(),
            )
        };
    }
    match kind {
        DataType::Utf8 => array!(StringArray, Text),
        DataType::Int64 => array!(Int64Array, Integer),
        DataType::Float64 => array!(Float64Array, Float),
        DataType::Timestamp(..) => array!(TimestampMicrosecondArray, Time),
        DataType::Date32 => array!(Date32Array, Day),
        _ => Arc::new(BooleanArray::new_null(rows.len())),
    }
}
