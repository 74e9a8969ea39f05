---
entity: [seller_state, customer_state]
time: moment
windows: [14d, 90d]
description: How orders travel on a route, from the state of the seller to the state of the customer
---
{% from "parts/order_steps.sql" import order_steps %}
SELECT
    COUNT(*) FILTER (WHERE step = 'approved') AS route_load,
        -- orders approved (route)
        -- pt-BR: pedidos aprovados (rota)
    AVG(delivered - shipped) FILTER (WHERE step = 'delivered') AS route_transit_days,
        -- mean days from carrier to customer (route); none: nothing delivered
        -- pt-BR: média de dias da transportadora ao cliente (rota); none: nada entregue
    AVG(ln(GREATEST(delivered - approved, 0.1))) FILTER (WHERE step = 'delivered') AS route_log_days,
        -- logarithm of the typical days from approval to delivery (route); none: nothing delivered
        -- pt-BR: logaritmo dos dias típicos da aprovação à entrega (rota); none: nada entregue
    AVG(LEAST((delivered - approved) / GREATEST(promised_days, 1), 4)) FILTER (WHERE step = 'delivered') AS route_promise_used,
        -- mean share of the promised time that deliveries took (route) [%]; none: nothing delivered
        -- pt-BR: parcela média do prazo prometido usada pelas entregas (rota) [%]; none: nada entregue
    AVG(CASE WHEN delivered - approved > 0.7 * promised_days THEN 1 ELSE 0 END) FILTER (WHERE step = 'delivered') AS route_slow_share,
        -- share of deliveries that took more than 70 % of the promised time (route) [%]; none: nothing delivered
        -- pt-BR: parcela das entregas que usaram mais de 70 % do prazo prometido (rota) [%]; none: nada entregue
    COUNT(*) FILTER (WHERE step = 'settled' AND is_late) / COUNT(*) FILTER (WHERE step = 'settled') AS route_late_share
        -- share of late orders (route) [%]; none: no order settled
        -- pt-BR: parcela de pedidos atrasados (rota) [%]; none: nenhum pedido definido
FROM (
{% call order_steps(['seller_state', 'customer_state']) %}
    FROM (SELECT DISTINCT order_id, seller_id FROM order_items) AS sold
    JOIN orders USING (order_id)
    JOIN customers USING (customer_id)
    JOIN sellers USING (seller_id)
{% endcall %}
) AS steps
