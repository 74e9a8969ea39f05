---
entity: product_category_name
time: moment
windows: [30d, 90d]
description: How orders of a product category are handled and keep their promises
---
{% from "parts/order_steps.sql" import order_steps %}
SELECT
    AVG(shipped - approved) FILTER (WHERE step = 'shipped') AS category_handling_days,
        -- mean days from approval to carrier (category); none: nothing shipped
        -- pt-BR: média de dias da aprovação à transportadora (categoria); none: nada postado
    COUNT(*) FILTER (WHERE step = 'settled' AND is_late) / COUNT(*) FILTER (WHERE step = 'settled') AS category_late_share
        -- share of late orders (category) [%]; none: no order settled
        -- pt-BR: parcela de pedidos atrasados (categoria) [%]; none: nenhum pedido definido
FROM (
{% call order_steps(['product_category_name']) %}
    FROM (SELECT DISTINCT order_id, product_id FROM order_items) AS sold
    JOIN orders USING (order_id)
    JOIN products USING (product_id)
{% endcall %}
) AS steps
