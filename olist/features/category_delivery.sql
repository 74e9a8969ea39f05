---
entity: product_category_name
time: moment
windows: [30d, 90d]
description: How orders of a product category are handled and keep their promises
---
SELECT
    AVG(shipped - approved) FILTER (WHERE step = 'shipped') AS category_handling_days,
        -- mean days from approval to carrier (category); none: nothing shipped
        -- pt-BR: média de dias da aprovação à transportadora (categoria); none: nada postado
    COUNT(*) FILTER (WHERE step = 'settled' AND is_late) / COUNT(*) FILTER (WHERE step = 'settled') AS category_late_share
        -- share of late orders (category) [%]; none: no order settled
        -- pt-BR: parcela de pedidos atrasados (categoria) [%]; none: nenhum pedido definido
{# One row for each step of an order, at the time of the step. #}
FROM (
{% for step, moment in [
    ('approved', 'order_approved_at'),
    ('shipped', 'order_delivered_carrier_date'),
    ('delivered', 'order_delivered_customer_date'),
    ('settled', 'promise_settled_at')] %}
    SELECT
        product_category_name, '{{ step }}' AS step,
        {{ moment }} AS moment,
        is_late,
        unix_micros(order_approved_at) / 86400000000 AS approved,
        unix_micros(order_delivered_carrier_date) / 86400000000 AS shipped,
        unix_micros(order_delivered_customer_date) / 86400000000 AS delivered,
        unix_date(CAST(order_estimated_delivery_date AS DATE)) + 1 - unix_micros(order_approved_at) / 86400000000 AS promised_days
    FROM (SELECT DISTINCT order_id, product_id FROM order_items) AS sold
    JOIN orders USING (order_id)
    JOIN products USING (product_id)
    WHERE {{ moment }} IS NOT NULL
    {{ '' if loop.last else 'UNION ALL' }}
{% endfor %}
) AS steps
