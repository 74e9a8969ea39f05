---
entity: [seller_state, customer_state]
time: moment
windows: [14d, 90d]
description: How orders travel on a route, from the state of the seller to the state of the customer
---
SELECT
    COUNT(*) FILTER (WHERE step = 'approved') AS route_load,
        -- orders approved (route)
        -- pt-BR: pedidos aprovados (rota)
    AVG(delivered - shipped) FILTER (WHERE step = 'delivered') AS route_transit_days,
        -- mean days from carrier to customer (route); none: nothing delivered
        -- pt-BR: média de dias da transportadora ao cliente (rota); none: nada entregue
    AVG(ln(GREATEST(delivered - approved, 0.1))) FILTER (WHERE step = 'delivered') AS route_log_days,
        -- mean logarithm of the days from approval to delivery (route); none: nothing delivered
        -- pt-BR: média do logaritmo dos dias da aprovação à entrega (rota); none: nada entregue
    AVG(LEAST((delivered - approved) / GREATEST(promised_days, 1), 4)) FILTER (WHERE step = 'delivered') AS route_promise_used,
        -- mean share of the promised time that deliveries took (route) [%]; none: nothing delivered
        -- pt-BR: parcela média do prazo prometido usada pelas entregas (rota) [%]; none: nada entregue
    AVG(CASE WHEN delivered - approved > 0.7 * promised_days THEN 1 ELSE 0 END) FILTER (WHERE step = 'delivered') AS route_slow_share,
        -- share of deliveries that took more than 70 % of the promised time (route) [%]; none: nothing delivered
        -- pt-BR: parcela das entregas que usaram mais de 70 % do prazo prometido (rota) [%]; none: nada entregue
    COUNT(*) FILTER (WHERE step = 'settled' AND is_late) / COUNT(*) FILTER (WHERE step = 'settled') AS route_late_share
        -- share of late orders (route) [%]; none: no order settled
        -- pt-BR: parcela de pedidos atrasados (rota) [%]; none: nenhum pedido definido
{# One row for each step of an order, at the time of the step. #}
FROM (
{% for step, moment in [
    ('approved', 'order_approved_at'),
    ('shipped', 'order_delivered_carrier_date'),
    ('delivered', 'order_delivered_customer_date'),
    ('settled', 'promise_settled_at')] %}
    SELECT
        seller_state, customer_state, '{{ step }}' AS step,
        {{ moment }} AS moment,
        is_late,
        unix_micros(order_approved_at) / 86400000000 AS approved,
        unix_micros(order_delivered_carrier_date) / 86400000000 AS shipped,
        unix_micros(order_delivered_customer_date) / 86400000000 AS delivered,
        unix_date(CAST(order_estimated_delivery_date AS DATE)) + 1 - unix_micros(order_approved_at) / 86400000000 AS promised_days
    FROM (SELECT DISTINCT order_id, seller_id FROM order_items) AS sold
    JOIN orders USING (order_id)
    JOIN customers USING (customer_id)
    JOIN sellers USING (seller_id)
    WHERE {{ moment }} IS NOT NULL
    {{ '' if loop.last else 'UNION ALL' }}
{% endfor %}
) AS steps
