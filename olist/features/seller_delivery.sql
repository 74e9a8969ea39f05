---
entity: seller_id
time: order_purchase_timestamp
windows: [30d, 90d, 6mo]
description: How a seller's orders travel - speed of each leg, promises kept, orders still under way
---
SELECT
    COUNT(*) FILTER (WHERE is_late)                                            AS late_orders,
        -- late orders
        -- pt-BR: pedidos atrasados
    COUNT(*) FILTER (WHERE is_late) / COUNT(is_late)                           AS late_share,
        -- late orders as a share of settled ones [%]; none: no order settled
        -- pt-BR: parcela de atrasados entre os pedidos definidos [%]; none: nenhum pedido definido
    COUNT(*) FILTER (WHERE is_late) / COUNT(order_delivered_customer_date)     AS late_per_delivered,
        -- late orders per delivered one; none: no order delivered
        -- pt-BR: pedidos atrasados por pedido entregue; none: nenhum pedido entregue
    COUNT(*) FILTER (WHERE order_approved_at IS NULL)                          AS unapproved_orders,
        -- orders not yet approved
        -- pt-BR: pedidos ainda não aprovados
    COUNT(*) FILTER (WHERE order_delivered_carrier_date IS NULL)               AS unshipped_orders,
        -- orders not yet with the carrier
        -- pt-BR: pedidos ainda não entregues à transportadora
    COUNT(*) FILTER (WHERE order_delivered_customer_date IS NULL)              AS open_orders,
        -- orders not yet delivered
        -- pt-BR: pedidos ainda não entregues
    COUNT(*) FILTER (WHERE order_delivered_customer_date IS NULL) / COUNT(*)   AS open_order_share,
        -- share of orders not yet delivered [%]; none: no order
        -- pt-BR: parcela de pedidos ainda não entregues [%]; none: nenhum pedido
    COUNT(*) FILTER (WHERE is_late AND order_delivered_customer_date IS NULL)  AS overdue_orders,
        -- orders overdue and not yet delivered
        -- pt-BR: pedidos vencidos e ainda não entregues
    AVG(datediff(order_delivered_carrier_date, order_approved_at))             AS avg_days_approved_to_carrier,
        -- mean days from approval to carrier; none: no order with the carrier
        -- pt-BR: média de dias da aprovação à transportadora; none: nenhum pedido na transportadora
    MAX(datediff(order_delivered_carrier_date, order_approved_at))             AS max_days_approved_to_carrier,
        -- most days from approval to carrier; none: no order with the carrier
        -- pt-BR: máximo de dias da aprovação à transportadora; none: nenhum pedido na transportadora
    AVG(datediff(order_delivered_customer_date, order_delivered_carrier_date)) AS avg_days_carrier_to_delivered,
        -- mean days from carrier to customer; none: no order delivered
        -- pt-BR: média de dias da transportadora ao cliente; none: nenhum pedido entregue
    AVG(datediff(order_delivered_customer_date, order_approved_at))            AS avg_days_approved_to_delivered,
        -- mean days from approval to delivery; none: no order delivered
        -- pt-BR: média de dias da aprovação à entrega; none: nenhum pedido entregue
    AVG(datediff(order_delivered_customer_date, order_purchase_timestamp))     AS avg_days_bought_to_delivered,
        -- mean days from purchase to delivery; none: no order delivered
        -- pt-BR: média de dias da compra à entrega; none: nenhum pedido entregue
    AVG(datediff(order_estimated_delivery_date, order_delivered_customer_date)) AS avg_days_delivered_to_promise,
        -- mean days delivered ahead of the promise; none: no order delivered
        -- pt-BR: média de dias de antecedência à promessa; none: nenhum pedido entregue
    AVG(datediff(order_estimated_delivery_date, order_purchase_timestamp))     AS avg_days_promised
        -- mean days promised to the customer; none: no order
        -- pt-BR: média de dias prometidos ao cliente; none: nenhum pedido
FROM (SELECT DISTINCT seller_id, order_id FROM order_items) AS sold
JOIN orders USING (order_id)
