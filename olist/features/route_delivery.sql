---
entity: [seller_state, customer_state]
time: order_purchase_timestamp
windows: [14d, 30d, 90d]
description: How orders travel on a route, from the state of the seller to the state of the customer
---
SELECT
    COUNT(DISTINCT order_id)                                                    AS route_orders,
    COUNT(*) FILTER (WHERE is_late) / COUNT(is_late)                            AS route_late_share,
    COUNT(*) FILTER (WHERE order_delivered_customer_date IS NULL) / COUNT(*)    AS route_open_share,
    AVG(datediff(order_delivered_customer_date, order_delivered_carrier_date))  AS route_days_carrier_to_delivered,
    MEDIAN(datediff(order_delivered_customer_date, order_purchase_timestamp))   AS route_median_days_bought_to_delivered,
    AVG(datediff(order_estimated_delivery_date, order_purchase_timestamp))      AS route_days_promised,
    AVG(freight_value)                                                          AS route_freight
FROM order_items
JOIN orders USING (order_id)
JOIN customers USING (customer_id)
JOIN sellers USING (seller_id)
