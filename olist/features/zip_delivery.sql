---
entity: zip_area
time: moment
windows: [90d, all]
description: How orders travel to a zip area, the first three digits of the customer's zip code
---
{% from "parts/order_steps.sql" import order_steps %}
SELECT
    AVG(delivered - shipped) FILTER (WHERE step = 'delivered') AS zip_transit_days,
        -- mean days from carrier to customer (zip area); none: nothing delivered
        -- pt-BR: média de dias da transportadora ao cliente (região do CEP); none: nada entregue
    AVG(ln(GREATEST(delivered - approved, 0.1))) FILTER (WHERE step = 'delivered') AS zip_log_days,
        -- logarithm of the typical days from approval to delivery (zip area); none: nothing delivered
        -- pt-BR: logaritmo dos dias típicos da aprovação à entrega (região do CEP); none: nada entregue
    AVG(LEAST((delivered - approved) / GREATEST(promised_days, 1), 4)) FILTER (WHERE step = 'delivered') AS zip_promise_used
        -- mean share of the promised time that deliveries took (zip area) [%]; none: nothing delivered
        -- pt-BR: parcela média do prazo prometido usada pelas entregas (região do CEP) [%]; none: nada entregue
FROM (
{% call order_steps(['LEFT(customer_zip_code_prefix, 3) AS zip_area']) %}
    FROM orders
    JOIN customers USING (customer_id)
{% endcall %}
) AS steps
