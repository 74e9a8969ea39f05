---
entity: seller_id
time: order_purchase_timestamp
windows: [7d, 14d, 30d, 60d, 90d, 6mo, all]
description: Volume, ticket and rhythm of a seller's sales
---
SELECT
    COUNT(DISTINCT order_id)                                           AS orders,
    COUNT(DISTINCT CAST(order_purchase_timestamp AS DATE))             AS days_with_sale,
    COUNT(*)                                                           AS items,
    COUNT(DISTINCT product_id)                                         AS products,
    SUM(price)                                                         AS revenue,
    SUM(price) / COUNT(DISTINCT order_id)                              AS avg_ticket,
    COUNT(*) / COUNT(DISTINCT order_id)                                AS items_per_order,
    AVG(price)                                                         AS avg_item_price,
    MIN(price)                                                         AS min_item_price,
    MAX(price)                                                         AS max_item_price,
    datediff(reference_date, MAX(order_purchase_timestamp))            AS days_since_last_order,
    datediff(reference_date, MIN(order_purchase_timestamp))            AS days_since_first_order,
    datediff(MAX(order_purchase_timestamp), MIN(order_purchase_timestamp))
        / (COUNT(DISTINCT CAST(order_purchase_timestamp AS DATE)) - 1) AS avg_days_between_sales,
    datediff(reference_date, MAX(order_purchase_timestamp))
        * (COUNT(DISTINCT CAST(order_purchase_timestamp AS DATE)) - 1)
        / datediff(MAX(order_purchase_timestamp), MIN(order_purchase_timestamp))
                                                                       AS gaps_since_last_order
FROM order_items
JOIN orders USING (order_id)
