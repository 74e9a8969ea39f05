//! Views that use what the shipped ones do not, as (name, text of the file).

/// One view for each thing that a view may say.
pub const EXTRA_VIEWS: &[(&str, &str)] = &[
    ("left_join", LEFT_JOIN),
    ("left_join_of_open_orders", LEFT_JOIN_OF_OPEN_ORDERS),
    ("left_join_on_late_key", LEFT_JOIN_ON_LATE_KEY),
    ("left_join_with_condition", LEFT_JOIN_WITH_CONDITION),
    ("left_join_between_sides", LEFT_JOIN_BETWEEN_SIDES),
    ("left_join_of_aggregate", LEFT_JOIN_OF_AGGREGATE),
    ("left_joins_in_a_row", LEFT_JOINS_IN_A_ROW),
    ("left_join_on_nothing", LEFT_JOIN_ON_NOTHING),
    ("aggregate_over_left_join", AGGREGATE_OVER_LEFT_JOIN),
    ("aggregate_of_aggregate", AGGREGATE_OF_AGGREGATE),
    ("aggregate_of_late_values", AGGREGATE_OF_LATE_VALUES),
    ("aggregate_with_having", AGGREGATE_WITH_HAVING),
    ("late_filters", LATE_FILTERS),
    ("distinct_of_late_values", DISTINCT_OF_LATE_VALUES),
    ("union_all", UNION_ALL),
    ("union_distinct", UNION_DISTINCT),
    ("self_join", SELF_JOIN),
    ("cross_join", CROSS_JOIN),
    ("inner_join_between_sides", INNER_JOIN_BETWEEN_SIDES),
    ("routes", ROUTES),
    ("pairs", PAIRS),
    ("everything", EVERYTHING),
    ("promised_days", PROMISED_DAYS),
    ("delivered_days", DELIVERED_DAYS),
    ("spread", SPREAD),
    ("extremes", EXTREMES),
    ("leads_by_origin", LEADS_BY_ORIGIN),
    ("cases", CASES),
    ("with_inside", WITH_INSIDE),
];

const LEFT_JOIN: &str = "---
entity: order_items.seller_id
time: order_purchase_timestamp
windows: [30d, all]
---
SELECT
    COUNT(*)                                                   AS reviewed_items,
    COUNT(*) FILTER (WHERE order_reviews.order_id IS NULL)     AS items_without_review,
    AVG(review_score)                                          AS avg_score
FROM order_items
JOIN orders ON orders.order_id = order_items.order_id
LEFT JOIN order_reviews ON order_reviews.order_id = orders.order_id
";

// An open order matches until it is delivered, and no longer after that.
const LEFT_JOIN_OF_OPEN_ORDERS: &str = "---
entity: order_items.seller_id
time: orders.order_purchase_timestamp
windows: [90d, all]
---
SELECT
    COUNT(*)                                              AS items,
    COUNT(*) FILTER (WHERE open_orders.order_id IS NULL)  AS items_not_open,
    COUNT(open_orders.order_approved_at)                  AS approved_and_open
FROM order_items
JOIN orders ON orders.order_id = order_items.order_id
LEFT JOIN (
    SELECT order_id, order_approved_at FROM orders WHERE order_delivered_customer_date IS NULL
) AS open_orders ON open_orders.order_id = order_items.order_id
";

// Both keys are NULL before they are known; several orders of a day come and go as matches.
const LEFT_JOIN_ON_LATE_KEY: &str = "---
entity: customers.customer_unique_id
time: bought.order_purchase_timestamp
windows: [1mo, all]
---
SELECT
    COUNT(*)                                           AS pairs,
    COUNT(arrived.order_id)                            AS arrivals_on_the_day,
    MIN(arrived.order_id)                              AS first_arrival
FROM orders AS bought
JOIN customers ON customers.customer_id = bought.customer_id
LEFT JOIN orders AS arrived
    ON CAST(arrived.order_delivered_customer_date AS DATE) = CAST(bought.order_approved_at AS DATE)
";

const LEFT_JOIN_WITH_CONDITION: &str = "---
entity: order_items.seller_id
time: order_purchase_timestamp
windows: [6mo]
---
SELECT
    COUNT(*)                                             AS lines,
    COUNT(*) FILTER (WHERE order_reviews.order_id IS NULL) AS without_bad_review,
    SUM(review_score)                                    AS bad_scores
FROM order_items
JOIN orders ON orders.order_id = order_items.order_id
LEFT JOIN order_reviews ON order_reviews.order_id = orders.order_id AND review_score <= 2
";

// The condition compares late columns of both sides, so a match may end when either becomes known.
const LEFT_JOIN_BETWEEN_SIDES: &str = "---
entity: order_items.seller_id
time: order_purchase_timestamp
windows: [90d, all]
---
SELECT
    COUNT(*)                                               AS lines,
    COUNT(*) FILTER (WHERE order_reviews.order_id IS NULL) AS without_early_review,
    COUNT(DISTINCT order_reviews.order_id)                 AS early_reviews
FROM order_items
JOIN orders ON orders.order_id = order_items.order_id
LEFT JOIN order_reviews
    ON order_reviews.order_id = orders.order_id
    AND review_answer_timestamp < COALESCE(order_delivered_customer_date, order_purchase_timestamp + INTERVAL '300 days')
";

const LEFT_JOIN_OF_AGGREGATE: &str = "---
entity: customer_unique_id
time: order_purchase_timestamp
windows: [90d, all]
---
SELECT
    COUNT(*)                                    AS orders,
    COUNT(paid.value)                           AS paid_orders,
    SUM(paid.value)                             AS paid_value,
    SUM(COALESCE(answers.answers, 0))           AS answers,
    MAX(answers.best)                           AS best_score
FROM orders
JOIN customers ON customers.customer_id = orders.customer_id
LEFT JOIN (
    SELECT order_id, SUM(payment_value) AS value FROM order_payments GROUP BY order_id
) AS paid ON paid.order_id = orders.order_id
LEFT JOIN (
    SELECT order_id, COUNT(*) AS answers, MAX(review_score) AS best FROM order_reviews GROUP BY order_id
) AS answers ON answers.order_id = orders.order_id
";

const LEFT_JOINS_IN_A_ROW: &str = "---
entity: order_items.seller_id
time: bought
windows: [60d, all]
---
SELECT
    COUNT(*)                                    AS lines,
    COUNT(late.order_id)                        AS late_lines,
    COUNT(order_reviews.review_id)              AS reviews_of_late_lines,
    AVG(order_reviews.review_score)             AS avg_score_of_late_lines
FROM (SELECT order_id, order_purchase_timestamp AS bought FROM orders) AS placed
JOIN order_items ON order_items.order_id = placed.order_id
LEFT JOIN (SELECT order_id FROM orders WHERE is_late) AS late ON late.order_id = placed.order_id
LEFT JOIN order_reviews ON order_reviews.order_id = late.order_id
";

const LEFT_JOIN_ON_NOTHING: &str = "---
entity: placed.customer_id
time: placed.order_purchase_timestamp
windows: [all]
---
SELECT
    COUNT(*)                   AS lines,
    COUNT(slow.order_id)       AS open_orders_elsewhere
FROM (SELECT customer_id, order_purchase_timestamp FROM orders) AS placed
LEFT JOIN (
    SELECT order_id, order_purchase_timestamp AS since FROM orders WHERE order_delivered_customer_date IS NULL
) AS slow ON slow.since < placed.order_purchase_timestamp
";

const AGGREGATE_OVER_LEFT_JOIN: &str = "---
entity: seller_id
time: order_purchase_timestamp
windows: [30d, 6mo]
---
SELECT
    AVG(scores)                                AS avg_scores_of_an_order,
    SUM(total)                                 AS total_score,
    COUNT(*) FILTER (WHERE scores = 0)         AS orders_without_score,
    MAX(last_score)                            AS max_last_score
FROM (
    SELECT
        seller_id,
        orders.order_id,
        order_purchase_timestamp,
        COUNT(review_score) AS scores,
        SUM(review_score)   AS total,
        MAX(review_answer_timestamp) AS last_score
    FROM order_items
    JOIN orders ON orders.order_id = order_items.order_id
    LEFT JOIN order_reviews ON order_reviews.order_id = orders.order_id
    GROUP BY seller_id, orders.order_id, order_purchase_timestamp
) AS scored
";

const AGGREGATE_OF_AGGREGATE: &str = "---
entity: seller_id
time: last_day
windows: [30d, all]
---
SELECT
    COUNT(*)               AS busy_states,
    AVG(mean_order)        AS avg_mean_order,
    MAX(order_count)       AS max_order_count
FROM (
    SELECT seller_id, customer_state, MAX(day) AS last_day, AVG(value) AS mean_order, COUNT(*) AS order_count
    FROM (
        SELECT seller_id, customer_state, orders.order_id, MAX(order_purchase_timestamp) AS day, SUM(price) AS value
        FROM order_items
        JOIN orders ON orders.order_id = order_items.order_id
        JOIN customers ON customers.customer_id = orders.customer_id
        GROUP BY seller_id, customer_state, orders.order_id
    ) AS order_values
    GROUP BY seller_id, customer_state
) AS states
";

// Groups change their members whenever an order moves on.
const AGGREGATE_OF_LATE_VALUES: &str = "---
entity: seller_id
time: last_purchase
windows: [60d, all]
---
SELECT
    COUNT(*)                        AS delivery_days,
    MAX(orders_of_day)              AS max_orders_of_day,
    SUM(late_orders_of_day)         AS late_orders,
    MEDIAN(mean_score)              AS median_mean_value
FROM (
    SELECT
        seller_id,
        CAST(order_delivered_customer_date AS DATE)  AS delivery_day,
        MAX(order_purchase_timestamp)                AS last_purchase,
        COUNT(DISTINCT orders.order_id)              AS orders_of_day,
        COUNT(*) FILTER (WHERE is_late)              AS late_orders_of_day,
        AVG(price)                                   AS mean_score
    FROM order_items
    JOIN orders ON orders.order_id = order_items.order_id
    GROUP BY seller_id, CAST(order_delivered_customer_date AS DATE)
) AS days
";

const AGGREGATE_WITH_HAVING: &str = "---
entity: customer_unique_id
time: first_order
windows: [all]
---
SELECT
    COUNT(*)           AS returning_states,
    SUM(open_orders)   AS open_orders
FROM (
    SELECT
        customer_unique_id,
        customer_state,
        MIN(order_purchase_timestamp) AS first_order,
        COUNT(*) FILTER (WHERE order_delivered_customer_date IS NULL) AS open_orders
    FROM orders
    JOIN customers ON customers.customer_id = orders.customer_id
    GROUP BY customer_unique_id, customer_state
    HAVING COUNT(*) > 1 AND COUNT(order_delivered_customer_date) < 3
) AS returning
";

const LATE_FILTERS: &str = "---
entity: seller_id
time: order_purchase_timestamp
windows: [14d, 6mo]
---
SELECT
    COUNT(*)                                                       AS items_on_their_way,
    datediff(reference_date, MIN(order_purchase_timestamp))        AS days_of_the_slowest
FROM (
    SELECT seller_id, order_purchase_timestamp
    FROM order_items
    JOIN orders ON orders.order_id = order_items.order_id
    WHERE order_delivered_carrier_date IS NOT NULL AND order_delivered_customer_date IS NULL
) AS on_their_way
";

const DISTINCT_OF_LATE_VALUES: &str = "---
entity: seller_id
time: bought_on
windows: [30d, all]
---
SELECT
    COUNT(*)                     AS days_and_states,
    COUNT(*) FILTER (WHERE delivered) AS delivered_days,
    COUNT(DISTINCT is_late)      AS kinds
FROM (
    SELECT DISTINCT
        seller_id,
        CAST(order_purchase_timestamp AS DATE)     AS bought_on,
        order_delivered_customer_date IS NOT NULL  AS delivered,
        is_late
    FROM order_items
    JOIN orders ON orders.order_id = order_items.order_id
) AS days
";

const UNION_ALL: &str = "---
entity: order_id
time: happened
windows: [30d, all]
---
SELECT
    COUNT(*)                                 AS events,
    COUNT(DISTINCT kind)                     AS kinds,
    MAX(happened)                            AS last_event,
    datediff(reference_date, MAX(happened))  AS days_since_last_event
FROM (
    SELECT order_id, order_purchase_timestamp AS happened, 'bought' AS kind FROM orders
    UNION ALL
    SELECT order_id, order_approved_at AS happened, 'approved' AS kind FROM orders
    UNION ALL
    SELECT order_id, order_delivered_customer_date AS happened, 'delivered' AS kind FROM orders
    UNION ALL
    SELECT order_id, review_answer_timestamp AS happened, 'reviewed' AS kind FROM order_reviews
) AS events
";

const UNION_DISTINCT: &str = "---
entity: []
time: day
windows: [30d, all]
---
SELECT COUNT(*) AS days_with_an_event
FROM (
    SELECT CAST(order_purchase_timestamp AS DATE) AS day FROM orders
    UNION
    SELECT CAST(order_delivered_customer_date AS DATE) AS day FROM orders
) AS days
";

const SELF_JOIN: &str = "---
entity: one.seller_id
time: orders.order_purchase_timestamp
windows: [90d, all]
---
SELECT
    COUNT(*)                              AS neighbours,
    COUNT(DISTINCT other.product_id)      AS neighbouring_products,
    SUM(abs(one.price - other.price))     AS price_gap
FROM order_items AS one
JOIN order_items AS other ON other.order_id = one.order_id
JOIN orders ON orders.order_id = one.order_id
WHERE other.order_item_id <> one.order_item_id
";

const CROSS_JOIN: &str = "---
entity: seller_id
time: first_contact_date
windows: [60d, all]
---
SELECT COUNT(*) AS leads_of_the_state, COUNT(DISTINCT origin) AS origins
FROM leads CROSS JOIN sellers
WHERE seller_state = 'SP'
";

const INNER_JOIN_BETWEEN_SIDES: &str = "---
entity: earlier.customer_id
time: earlier.order_purchase_timestamp
windows: [all]
---
SELECT COUNT(*) AS orders_after_its_delivery, MIN(later.order_purchase_timestamp) AS first_of_them
FROM orders AS earlier
JOIN orders AS later ON later.order_purchase_timestamp > earlier.order_delivered_customer_date
";

const ROUTES: &str = "---
entity: [seller_state, customer_state]
time: order_purchase_timestamp
windows: [6mo, all]
---
SELECT
    COUNT(DISTINCT order_items.order_id)                                     AS orders,
    AVG(datediff(order_delivered_customer_date, order_purchase_timestamp))   AS avg_days,
    upper(seller_state)                                                      AS seller_state_name
FROM order_items
JOIN orders ON orders.order_id = order_items.order_id
JOIN customers ON customers.customer_id = orders.customer_id
JOIN sellers ON sellers.seller_id = order_items.seller_id
";

// The inner groups decide their time, so that grouping by it as well is redundant.
const PAIRS: &str = "---
entity: [seller_id, product_id]
time: last_sale
windows: [90d, all]
---
SELECT SUM(sold) AS sold, MAX(best_price) AS best_price
FROM (
    SELECT seller_id, product_id, MAX(order_purchase_timestamp) AS last_sale, COUNT(*) AS sold, MAX(price) AS best_price
    FROM order_items
    JOIN orders ON orders.order_id = order_items.order_id
    GROUP BY seller_id, product_id
) AS pairs
";

const EVERYTHING: &str = "---
entity:
time: order_purchase_timestamp
windows: [1d, 7d, 1mo, all]
---
SELECT
    COUNT(*)                                                       AS orders,
    COUNT(DISTINCT customer_unique_id)                             AS customers,
    AVG(CASE WHEN is_late THEN 1.0 WHEN NOT is_late THEN 0.0 END)  AS late_share
FROM orders
JOIN customers USING (customer_id)
";

// A row is known before its time comes: no window holds it until then.
const PROMISED_DAYS: &str = "---
entity: customer_state
time: order_estimated_delivery_date
windows: [7d, 30d, all]
---
SELECT
    COUNT(*)                                                                  AS promises,
    COUNT(*) FILTER (WHERE order_delivered_customer_date IS NULL)             AS still_open
FROM orders
JOIN customers ON customers.customer_id = orders.customer_id
";

// The time is NULL until it is known.
const DELIVERED_DAYS: &str = "---
entity: seller_id
time: order_delivered_customer_date
windows: [30d, 6mo, all]
---
SELECT
    COUNT(*)                                                       AS items,
    SUM(price)                                                     AS price,
    datediff(reference_date, MAX(order_delivered_customer_date))   AS days_since_last_delivery
FROM order_items
JOIN orders ON orders.order_id = order_items.order_id
";

const SPREAD: &str = "---
entity: seller_id
time: order_purchase_timestamp
windows: [90d, all]
---
SELECT
    STDDEV(price)            AS price_stddev,
    STDDEV_SAMP(price)       AS price_stddev_samp,
    STDDEV_POP(price)        AS price_stddev_pop,
    VAR_SAMP(freight_value)  AS freight_variance,
    VAR_POP(freight_value)   AS freight_variance_pop,
    MEDIAN(price)            AS median_price,
    MEDIAN(order_item_id)    AS median_number,
    AVG(order_item_id)       AS avg_number,
    SUM(order_item_id)       AS sum_number,
    STDDEV(order_item_id)    AS number_stddev,
    STDDEV(price) FILTER (WHERE order_delivered_customer_date IS NULL) AS open_price_stddev,
    COUNT(DISTINCT price)    AS prices
FROM order_items
JOIN orders ON orders.order_id = order_items.order_id
";

const EXTREMES: &str = "---
entity: seller_id
time: order_purchase_timestamp
windows: [30d, all]
---
SELECT
    MIN(product_id)                                             AS first_product,
    MAX(customer_state)                                         AS last_state,
    MIN(shipping_limit_date)                                    AS first_limit,
    MAX(order_delivered_customer_date)                          AS last_delivery,
    MIN(CAST(order_approved_at AS DATE))                        AS first_approval_day,
    MAX(is_late)                                                AS any_late,
    MIN(order_item_id)                                          AS min_number,
    MAX(price) FILTER (WHERE customer_state = 'SP' AND is_late) AS max_late_price,
    MAX(order_purchase_timestamp)                               AS order_purchase_timestamp
FROM order_items
JOIN orders ON orders.order_id = order_items.order_id
JOIN customers ON customers.customer_id = orders.customer_id
";

const LEADS_BY_ORIGIN: &str = "---
entity: origin
time: first_contact_date
windows: [30d, 1mo, all]
---
SELECT
    COUNT(*)                                                AS leads,
    COUNT(won_date)                                         AS signed,
    COUNT(won_date) / COUNT(*)                              AS signed_share,
    AVG(datediff(won_date, first_contact_date))             AS avg_days_to_sign
FROM leads
LEFT JOIN deals ON deals.mql_id = leads.mql_id
";

const CASES: &str = "---
entity: customer_state
time: order_purchase_timestamp
windows: [90d]
---
SELECT
    CASE WHEN COUNT(*) > 3 THEN 'busy' ELSE customer_state END                            AS busy,
    SUM(CASE payment_type WHEN 'boleto' THEN payment_value WHEN 'voucher' THEN 0.5 END)   AS paper_value,
    COALESCE(SUM(payment_value) FILTER (WHERE payment_installments > 3), 0)
        / SUM(payment_value)                                                              AS long_share,
    COUNT(CASE WHEN order_approved_at IS NULL THEN order_purchase_timestamp END)          AS unapproved,
    date_add(reference_date, 3)                                                          AS three_days_on,
    COUNT(*) > 1                                                                          AS several
FROM orders
JOIN customers ON customers.customer_id = orders.customer_id
JOIN order_payments ON order_payments.order_id = orders.order_id
";

const WITH_INSIDE: &str = "---
entity: seller_id
time: happened
windows: [90d]
---
SELECT COUNT(*) AS late_orders, SUM(n) AS late_items
FROM (
    WITH sold AS (SELECT seller_id, order_id, COUNT(*) AS n FROM order_items GROUP BY seller_id, order_id),
         late AS (SELECT order_id, order_purchase_timestamp AS happened FROM orders WHERE is_late)
    SELECT sold.seller_id, late.happened, sold.n FROM sold JOIN late ON late.order_id = sold.order_id
) AS joined
";
