---
entity: seller_id
time: order_purchase_timestamp
windows: [30d, 90d, 6mo]
description: How a seller's orders travel - speed of each leg, promises kept, orders still under way
---
SELECT
    COUNT(*) FILTER (WHERE is_late)                                            AS late_orders,
    COUNT(*) FILTER (WHERE is_late) / COUNT(is_late)                           AS late_share,
    COUNT(*) FILTER (WHERE is_late) / COUNT(order_delivered_customer_date)     AS late_per_delivered,
    COUNT(*) FILTER (WHERE order_approved_at IS NULL)                          AS unapproved_orders,
    COUNT(*) FILTER (WHERE order_delivered_carrier_date IS NULL)               AS unshipped_orders,
    COUNT(*) FILTER (WHERE order_delivered_customer_date IS NULL)              AS open_orders,
    COUNT(*) FILTER (WHERE order_delivered_customer_date IS NULL) / COUNT(*)   AS open_order_share,
    COUNT(*) FILTER (WHERE is_late AND order_delivered_customer_date IS NULL)  AS overdue_orders,
    AVG(datediff(order_delivered_carrier_date, order_approved_at))             AS avg_days_approved_to_carrier,
    MAX(datediff(order_delivered_carrier_date, order_approved_at))             AS max_days_approved_to_carrier,
    AVG(datediff(order_delivered_customer_date, order_delivered_carrier_date)) AS avg_days_carrier_to_delivered,
    AVG(datediff(order_delivered_customer_date, order_approved_at))            AS avg_days_approved_to_delivered,
    AVG(datediff(order_delivered_customer_date, order_purchase_timestamp))     AS avg_days_bought_to_delivered,
    AVG(datediff(order_estimated_delivery_date, order_delivered_customer_date)) AS avg_days_delivered_to_promise,
    AVG(datediff(order_estimated_delivery_date, order_purchase_timestamp))     AS avg_days_promised
FROM (SELECT DISTINCT seller_id, order_id FROM order_items) AS sold
JOIN orders USING (order_id)
