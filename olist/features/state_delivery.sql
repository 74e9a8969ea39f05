---
entity: customer_state
time: moment
windows: [14d, 30d]
description: How orders travel to a customer's state
---
SELECT
    AVG(ln(GREATEST(delivered - approved, 0.1))) FILTER (WHERE step = 'delivered') AS state_log_days,
        -- mean logarithm of the days from approval to delivery (state); none: nothing delivered
        -- pt-BR: média do logaritmo dos dias da aprovação à entrega (estado); none: nada entregue
    AVG(LEAST((delivered - approved) / GREATEST(promised_days, 1), 4)) FILTER (WHERE step = 'delivered') AS state_promise_used,
        -- mean share of the promised time that deliveries took (state) [%]; none: nothing delivered
        -- pt-BR: parcela média do prazo prometido usada pelas entregas (estado) [%]; none: nada entregue
    unix_date(reference_date) - AVG(approved) FILTER (WHERE step = 'approved' AND delivered IS NULL) AS state_open_age
        -- mean days since the approval of orders under way (state); none: no order under way
        -- pt-BR: média de dias desde a aprovação dos pedidos a caminho (estado); none: nenhum pedido a caminho
{# One row for each step of an order, at the time of the step. #}
FROM (
{% for step, moment in [
    ('approved', 'order_approved_at'),
    ('shipped', 'order_delivered_carrier_date'),
    ('delivered', 'order_delivered_customer_date'),
    ('settled', 'promise_settled_at')] %}
    SELECT
        customer_state, '{{ step }}' AS step,
        {{ moment }} AS moment,
        is_late,
        unix_micros(order_approved_at) / 86400000000 AS approved,
        unix_micros(order_delivered_carrier_date) / 86400000000 AS shipped,
        unix_micros(order_delivered_customer_date) / 86400000000 AS delivered,
        unix_date(CAST(order_estimated_delivery_date AS DATE)) + 1 - unix_micros(order_approved_at) / 86400000000 AS promised_days
    FROM orders
    JOIN customers USING (customer_id)
    WHERE {{ moment }} IS NOT NULL
    {{ '' if loop.last else 'UNION ALL' }}
{% endfor %}
) AS steps
