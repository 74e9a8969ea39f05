---
entity: seller_id
time: order_purchase_timestamp
windows: [30d, 90d, 6mo]
description: What the orders of a seller are worth, and what their freight costs; an order is its items of this seller
---
SELECT
    MIN(order_value)                         AS min_order_value,
    MAX(order_value)                         AS max_order_value,
    AVG(order_value)                         AS avg_order_value,
    STDDEV(order_value)                      AS std_order_value,
    AVG(order_freight)                       AS avg_freight,
    MEDIAN(order_freight)                    AS median_freight,
    MIN(order_freight)                       AS min_freight,
    MAX(order_freight)                       AS max_freight,
    SUM(order_freight) / SUM(order_value)    AS freight_per_price
FROM (
    SELECT
        seller_id,
        order_id,
        order_purchase_timestamp,
        SUM(price)         AS order_value,
        SUM(freight_value) AS order_freight
    FROM order_items
    JOIN orders USING (order_id)
    GROUP BY seller_id, order_id, order_purchase_timestamp
) AS order_values
