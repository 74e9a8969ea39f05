//! The rows of the sales funnel.

use chrono::NaiveDate;

use crate::funnel::{Deal, Lead};
use crate::identity::Kind;
use crate::rows::Rows;
use crate::table::{Table, Tables};
use crate::world::World;

/// Writes a lead, and its deal if that was won before this day.
pub(super) fn write_lead(world: &World, lead: &Lead, until: NaiveDate, tables: &mut Tables) {
    let row = tables
        .add(Table::Leads)
        .row()
        .plain(lead.id)
        .plain(lead.contacted);
    drop(row.plain(lead.landing_page).plain(lead.origin));
    if let Some(deal) = lead.deal.as_ref().filter(|deal| deal.won < until.into()) {
        write_deal(world, lead, deal, tables.add(Table::Deals));
    }
}

fn write_deal(world: &World, lead: &Lead, deal: &Deal, rows: &mut Rows) {
    let declared = deal.declared.as_ref();
    let truth = |value: bool| if value { "True" } else { "False" };
    rows.row()
        .plain(lead.id)
        .plain(world.seed.id(Kind::Seller, deal.seller))
        .plain(deal.development_representative)
        .plain(deal.sales_representative)
        .plain(deal.won)
        .plain(deal.profile.segment)
        .plain(deal.profile.lead_type)
        .plain(deal.profile.behaviour)
        .optional(declared.map(|declared| truth(declared.has_company)))
        .optional(declared.map(|declared| truth(declared.has_gtin)))
        .optional(declared.map(|declared| declared.average_stock))
        .plain(deal.profile.business_type)
        .optional(declared.map(|declared| format!("{:.1}", declared.catalog_size)))
        .plain(format_args!(
            "{:.1}",
            declared.map_or(0.0, |declared| declared.monthly_revenue)
        ));
}
