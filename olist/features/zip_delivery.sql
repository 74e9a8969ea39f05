---
entity: zip_area
time: moment
windows: [90d, all]
description: How orders travel to a zip area, the first three digits of the customer's zip code
---
SELECT
    AVG(delivered - shipped) FILTER (WHERE step = 'delivered') AS zip_transit_days,
        -- mean days from carrier to customer (zip area); none: nothing delivered
        -- pt-BR: média de dias da transportadora ao cliente (região do CEP); none: nada entregue
    AVG(ln(GREATEST(delivered - approved, 0.1))) FILTER (WHERE step = 'delivered') AS zip_log_days,
        -- mean logarithm of the days from approval to delivery (zip area); none: nothing delivered
        -- pt-BR: média do logaritmo dos dias da aprovação à entrega (região do CEP); none: nada entregue
    AVG(LEAST((delivered - approved) / GREATEST(promised_days, 1), 4)) FILTER (WHERE step = 'delivered') AS zip_promise_used
        -- mean share of the promised time that deliveries took (zip area) [%]; none: nothing delivered
        -- pt-BR: parcela média do prazo prometido usada pelas entregas (região do CEP) [%]; none: nada entregue
{# One row for each step of an order, at the time of the step. #}
FROM (
{% for step, moment in [
    ('approved', 'order_approved_at'),
    ('shipped', 'order_delivered_carrier_date'),
    ('delivered', 'order_delivered_customer_date'),
    ('settled', 'promise_settled_at')] %}
    SELECT
        LEFT(customer_zip_code_prefix, 3) AS zip_area, '{{ step }}' AS step,
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
