//! The rows of a chunk, as known on a morning.

mod funnel;
mod truth;

use chrono::NaiveDate;

use crate::catalogue::{Catalogue, Product};
use crate::categories::CATEGORIES;
use crate::chunk::Chunk;
use crate::cut::known;
use crate::geography::STATES;
use crate::identity::Kind;
use crate::life::Life;
use crate::market;
use crate::order::{Order, Progress};
use crate::review::Review;
use crate::rows::Rows;
use crate::seller::Seller;
use crate::table::{Table, Tables};
use crate::world::World;

/// Writes what was known of the chunk on the morning of this day.
pub(crate) fn write(world: &World, mut chunk: Chunk, until: NaiveDate) -> Tables {
    let mut tables = Tables::default();
    let mut is_sold = vec![false; chunk.catalogue.products().len()];
    chunk.orders.sort_unstable_by_key(|order| order.id);
    for order in &chunk.orders {
        if let Some(known) = known(order, until) {
            write_order(order, &known, tables.add(Table::Orders));
            write_customer(world, order, tables.add(Table::Customers));
            write_items(order, &chunk.catalogue, tables.add(Table::OrderItems));
            write_payments(order, tables.add(Table::OrderPayments));
            write_reviews(order, until, tables.add(Table::OrderReviews));
            truth::write_order(order, &known, tables.add(Table::TruthOrders));
            order
                .items
                .iter()
                .for_each(|item| is_sold[item.product] = true);
        }
    }
    let products = chunk.catalogue.products().iter().zip(is_sold);
    for (product, _) in products.filter(|(_, is_sold)| *is_sold) {
        write_product(product, tables.add(Table::Products));
    }
    for (seller, life) in &chunk.sellers {
        write_seller(world, seller, life, until, &mut tables);
    }
    for lead in chunk.leads.iter().filter(|lead| lead.contacted < until) {
        funnel::write_lead(world, lead, until, &mut tables);
    }
    tables
}

fn write_order(order: &Order, known: &Progress, rows: &mut Rows) {
    let row = rows
        .row()
        .id(order.id)
        .id(order.customer_id)
        .plain(known.status.name())
        .plain(order.purchased);
    row.optional(known.approved)
        .optional(known.collected)
        .optional(known.delivered)
        .plain(order.estimated);
}

fn write_customer(world: &World, order: &Order, rows: &mut Rows) {
    let zip = &world.geography.zips()[order.customer.zip];
    let person = world.seed.id(Kind::Person, order.customer.person);
    let row = rows
        .row()
        .id(order.customer_id)
        .id(person)
        .quoted(format_args!("{:05}", zip.prefix));
    row.plain(&zip.city).plain(STATES[zip.state].code);
}

fn write_items(order: &Order, catalogue: &Catalogue, rows: &mut Rows) {
    for (item, sequential) in order.items.iter().zip(1_u32..) {
        let product = catalogue.products()[item.product].id;
        let row = rows
            .row()
            .id(order.id)
            .plain(sequential)
            .id(product)
            .id(item.seller);
        row.plain(item.shipping_limit)
            .money(item.price)
            .money(item.freight);
    }
}

fn write_payments(order: &Order, rows: &mut Rows) {
    for (payment, sequential) in order.payments.iter().zip(1_u32..) {
        let row = rows
            .row()
            .id(order.id)
            .plain(sequential)
            .plain(payment.kind);
        row.plain(payment.installments).money(payment.value);
    }
}

fn write_reviews(order: &Order, until: NaiveDate, rows: &mut Rows) {
    for Review {
        id,
        score,
        title,
        message,
        created,
        answered,
    } in &order.reviews
    {
        if *answered < until.into() {
            let row = rows
                .row()
                .plain(id)
                .plain(order.id)
                .plain(score)
                .text(title.unwrap_or(""));
            row.text(message.as_deref().unwrap_or(""))
                .plain(format_args!("{created} 00:00:00"))
                .plain(answered);
        }
    }
}

fn write_product(product: &Product, rows: &mut Rows) {
    let (description, measures) = (product.description.as_ref(), product.measures.as_ref());
    rows.row()
        .id(product.id)
        .optional(description.map(|_| CATEGORIES[product.category].name))
        .optional(description.map(|description| description.name_length))
        .optional(description.map(|description| description.description_length))
        .optional(description.map(|description| description.photos))
        .optional(measures.map(|measures| measures.weight))
        .optional(measures.map(|measures| measures.length))
        .optional(measures.map(|measures| measures.height))
        .optional(measures.map(|measures| measures.width));
}

/// Sellers appear with their first sale.
fn write_seller(
    world: &World,
    seller: &Seller,
    life: &Life,
    until: NaiveDate,
    tables: &mut Tables,
) {
    if market::date(seller.arrival) >= until {
        return;
    }
    let zip = &world.geography.zips()[seller.zip];
    let row = tables
        .add(Table::Sellers)
        .row()
        .id(seller.id)
        .quoted(format_args!("{:05}", zip.prefix));
    drop(row.plain(&zip.city).plain(STATES[zip.state].code));
    if world.truth {
        truth::write_seller(world, seller, life, until, tables.add(Table::TruthSellers));
    }
}
