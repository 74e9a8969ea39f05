//! The tables: their files, headers, and rows on the way there.

use crate::rows::Rows;

/// A table of the marketplace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// One row an order.
    Orders,
    /// One row an order's customer.
    Customers,
    /// One row an item of an order.
    OrderItems,
    /// One row a payment of an order.
    OrderPayments,
    /// One row a review of an order.
    OrderReviews,
    /// One row a seller with a sale.
    Sellers,
    /// One row a product sold.
    Products,
    /// Points of zip code prefixes.
    Geolocation,
    /// English names of the product categories.
    CategoryTranslation,
    /// One row a lead of the sales funnel.
    Leads,
    /// One row a lead that signed.
    Deals,
    /// The truth about sellers: one row a month start and seller with a sale in the 45 days before.
    TruthSellers,
    /// The truth about orders: one row an order with items that was approved.
    TruthOrders,
}

impl Table {
    /// All tables; the two of the truth come last.
    pub const ALL: [Self; 13] = [
        Self::Orders,
        Self::Customers,
        Self::OrderItems,
        Self::OrderPayments,
        Self::OrderReviews,
        Self::Sellers,
        Self::Products,
        Self::Geolocation,
        Self::CategoryTranslation,
        Self::Leads,
        Self::Deals,
        Self::TruthSellers,
        Self::TruthOrders,
    ];

    /// Whether the table holds what no real marketplace could tell.
    pub fn is_truth(self) -> bool {
        matches!(self, Self::TruthSellers | Self::TruthOrders)
    }

    /// Name of the file.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Orders => "olist_orders_dataset.csv",
            Self::Customers => "olist_customers_dataset.csv",
            Self::OrderItems => "olist_order_items_dataset.csv",
            Self::OrderPayments => "olist_order_payments_dataset.csv",
            Self::OrderReviews => "olist_order_reviews_dataset.csv",
            Self::Sellers => "olist_sellers_dataset.csv",
            Self::Products => "olist_products_dataset.csv",
            Self::Geolocation => "olist_geolocation_dataset.csv",
            Self::CategoryTranslation => "product_category_name_translation.csv",
            Self::Leads => "olist_marketing_qualified_leads_dataset.csv",
            Self::Deals => "olist_closed_deals_dataset.csv",
            Self::TruthSellers => "truth_sellers.csv",
            Self::TruthOrders => "truth_orders.csv",
        }
    }

    /// What stands before the first row, with the byte order mark and line break of the source.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Orders => {
                "\"order_id\",\"customer_id\",\"order_status\",\"order_purchase_timestamp\",\"order_approved_at\",\"order_delivered_carrier_date\",\"order_delivered_customer_date\",\"order_estimated_delivery_date\"\n"
            }
            Self::Customers => {
                "\"customer_id\",\"customer_unique_id\",\"customer_zip_code_prefix\",\"customer_city\",\"customer_state\"\n"
            }
            Self::OrderItems => {
                "\"order_id\",\"order_item_id\",\"product_id\",\"seller_id\",\"shipping_limit_date\",\"price\",\"freight_value\"\n"
            }
            Self::OrderPayments => {
                "\"order_id\",\"payment_sequential\",\"payment_type\",\"payment_installments\",\"payment_value\"\n"
            }
            Self::OrderReviews => {
                "review_id,order_id,review_score,review_comment_title,review_comment_message,review_creation_date,review_answer_timestamp\n"
            }
            Self::Sellers => {
                "\"seller_id\",\"seller_zip_code_prefix\",\"seller_city\",\"seller_state\"\n"
            }
            Self::Products => {
                "\"product_id\",\"product_category_name\",\"product_name_lenght\",\"product_description_lenght\",\"product_photos_qty\",\"product_weight_g\",\"product_length_cm\",\"product_height_cm\",\"product_width_cm\"\n"
            }
            Self::Geolocation => {
                "\"geolocation_zip_code_prefix\",\"geolocation_lat\",\"geolocation_lng\",\"geolocation_city\",\"geolocation_state\"\n"
            }
            Self::CategoryTranslation => {
                "\u{feff}product_category_name,product_category_name_english\r\n"
            }
            Self::Leads => "mql_id,first_contact_date,landing_page_id,origin\n",
            Self::Deals => {
                "mql_id,seller_id,sdr_id,sr_id,won_date,business_segment,lead_type,lead_behaviour_profile,has_company,has_gtin,average_stock,business_type,declared_product_catalog_size,declared_monthly_revenue\n"
            }
            Self::TruthSellers => {
                "seller_id,reference_date,days_since_last_order,daily_hazard,churn_probability\n"
            }
            Self::TruthOrders => "order_id,late_probability\n",
        }
    }

    /// Place in [`Table::ALL`].
    pub(crate) fn place(self) -> usize {
        self as usize
    }
}

/// Rows of all tables.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    rows: [Rows; Table::ALL.len()],
}

impl Tables {
    /// The rows of one table.
    pub(crate) fn of(&self, table: Table) -> &Rows {
        &self.rows[table.place()]
    }

    /// The rows of one table, to add to.
    pub(crate) fn add(&mut self, table: Table) -> &mut Rows {
        &mut self.rows[table.place()]
    }
}
