---
entity: [seller_state, customer_state]
time: order_purchase_timestamp
windows: [14d, 30d, 90d]
description: How orders travel on a route, from the state of the seller to the state of the customer
---
SELECT
    COUNT(DISTINCT order_id)                                                    AS route_orders,
        -- orders on the route
        -- pt-BR: pedidos na rota
    COUNT(*) FILTER (WHERE is_late) / COUNT(is_late)                            AS route_late_share,
        -- share of late items on the route [%]; none: no item settled on the route
        -- pt-BR: parcela de itens atrasados na rota [%]; none: nenhum item definido na rota
    COUNT(*) FILTER (WHERE order_delivered_customer_date IS NULL) / COUNT(*)    AS route_open_share,
        -- share of items under way on the route [%]; none: no order on the route
        -- pt-BR: parcela de itens a caminho na rota [%]; none: nenhum pedido na rota
    AVG(datediff(order_delivered_customer_date, order_delivered_carrier_date))  AS route_days_carrier_to_delivered,
        -- mean days from carrier to customer on the route; none: no item delivered on the route
        -- pt-BR: média de dias da transportadora ao cliente na rota; none: nenhum item entregue na rota
    MEDIAN(datediff(order_delivered_customer_date, order_purchase_timestamp))   AS route_median_days_bought_to_delivered,
        -- median days from purchase to delivery on the route; none: no item delivered on the route
        -- pt-BR: mediana de dias da compra à entrega na rota; none: nenhum item entregue na rota
    AVG(datediff(order_estimated_delivery_date, order_purchase_timestamp))      AS route_days_promised,
        -- mean days promised on the route; none: no order on the route
        -- pt-BR: média de dias prometidos na rota; none: nenhum pedido na rota
    AVG(freight_value)                                                          AS route_freight
        -- mean freight on the route [R$]; none: no order on the route
        -- pt-BR: frete médio na rota [R$]; none: nenhum pedido na rota
FROM order_items
JOIN orders USING (order_id)
JOIN customers USING (customer_id)
JOIN sellers USING (seller_id)
