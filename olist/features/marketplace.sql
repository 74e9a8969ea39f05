---
entity: []
time: order_purchase_timestamp
windows: [7d, 30d, 90d]
description: The marketplace as a whole, one row a date - load, promises, payments
---
SELECT
    COUNT(DISTINCT order_id)                                                    AS marketplace_orders,
    COUNT(DISTINCT seller_id)                                                   AS marketplace_sellers,
    SUM(price)                                                                  AS marketplace_revenue,
    COUNT(*) FILTER (WHERE is_late) / COUNT(is_late)                            AS marketplace_late_share,
    COUNT(*) FILTER (WHERE order_delivered_customer_date IS NULL)               AS marketplace_open_items,
    AVG(datediff(order_delivered_carrier_date, order_approved_at))              AS marketplace_days_approved_to_carrier,
    AVG(datediff(order_delivered_customer_date, order_delivered_carrier_date))  AS marketplace_days_carrier_to_delivered,
    AVG(datediff(order_estimated_delivery_date, order_purchase_timestamp))      AS marketplace_days_promised
FROM order_items
JOIN orders USING (order_id)
