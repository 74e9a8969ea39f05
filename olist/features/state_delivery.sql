---
entity: customer_state
time: moment
windows: [14d, 30d]
description: How orders travel to a customer's state
---
{% from "parts/order_steps.sql" import order_steps %}
SELECT
    AVG(ln(GREATEST(delivered - approved, 0.1))) FILTER (WHERE step = 'delivered') AS state_log_days,
        -- logarithm of the typical days from approval to delivery (state); none: nothing delivered
        -- pt-BR: logaritmo dos dias típicos da aprovação à entrega (estado); none: nada entregue
    AVG(LEAST((delivered - approved) / GREATEST(promised_days, 1), 4)) FILTER (WHERE step = 'delivered') AS state_promise_used,
        -- mean share of the promised time that deliveries took (state) [%]; none: nothing delivered
        -- pt-BR: parcela média do prazo prometido usada pelas entregas (estado) [%]; none: nada entregue
    unix_date(reference_date) - AVG(approved) FILTER (WHERE step = 'approved' AND delivered IS NULL) AS state_open_age
        -- mean days since the approval of orders under way (state); none: no order under way
        -- pt-BR: média de dias desde a aprovação dos pedidos a caminho (estado); none: nenhum pedido a caminho
FROM (
{% call order_steps(['customer_state']) %}
    FROM orders
    JOIN customers USING (customer_id)
{% endcall %}
) AS steps
