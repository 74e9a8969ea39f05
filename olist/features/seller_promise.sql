---
entity: seller_id
time: moment
windows: [30d, 90d, all]
description: How a seller keeps its promises - handling, deliveries against the promise, orders under way
---
{% from "parts/order_steps.sql" import order_steps %}
SELECT
    AVG(shipped - approved) FILTER (WHERE step = 'shipped') AS seller_handling_days,
        -- mean days from approval to carrier (seller); none: nothing shipped
        -- pt-BR: média de dias da aprovação à transportadora (vendedor); none: nada postado
    AVG(CASE WHEN shipped > shipping_limit THEN 1 ELSE 0 END) FILTER (WHERE step = 'shipped') AS seller_over_limit_share,
        -- share shipped after the shipping limit (seller) [%]; none: nothing shipped
        -- pt-BR: parcela postada depois do limite (vendedor) [%]; none: nada postado
    AVG(ln(GREATEST(delivered - approved, 0.1))) FILTER (WHERE step = 'delivered') AS seller_log_days,
        -- logarithm of the typical days from approval to delivery (seller); none: nothing delivered
        -- pt-BR: logaritmo dos dias típicos da aprovação à entrega (vendedor); none: nada entregue
    AVG(LEAST((delivered - approved) / GREATEST(promised_days, 1), 4)) FILTER (WHERE step = 'delivered') AS seller_promise_used,
        -- mean share of the promised time that deliveries took (seller) [%]; none: nothing delivered
        -- pt-BR: parcela média do prazo prometido usada pelas entregas (vendedor) [%]; none: nada entregue
    COUNT(*) FILTER (WHERE step = 'settled' AND is_late) / COUNT(*) FILTER (WHERE step = 'settled') AS seller_late_share,
        -- share of late orders (seller) [%]; none: no order settled
        -- pt-BR: parcela de pedidos atrasados (vendedor) [%]; none: nenhum pedido definido
    COUNT(*) FILTER (WHERE step = 'delivered') AS seller_deliveries,
        -- deliveries (seller)
        -- pt-BR: entregas (vendedor)
    unix_date(reference_date) - AVG(approved) FILTER (WHERE step = 'approved' AND delivered IS NULL) AS seller_open_age,
        -- mean days since the approval of orders under way (seller); none: no order under way
        -- pt-BR: média de dias desde a aprovação dos pedidos a caminho (vendedor); none: nenhum pedido a caminho
    COUNT(*) FILTER (WHERE step = 'approved' AND delivered IS NULL AND shipped IS NULL) / COUNT(*) FILTER (WHERE step = 'approved' AND delivered IS NULL) AS seller_unshipped_share
        -- share of orders under way that wait for the carrier (seller) [%]; none: no order under way
        -- pt-BR: parcela de pedidos a caminho que aguardam a transportadora (vendedor) [%]; none: nenhum pedido a caminho
FROM (
{% call order_steps(['seller_id', 'unix_micros(last_limit) / 86400000000 AS shipping_limit']) %}
    FROM (
        SELECT order_id, seller_id, MAX(shipping_limit_date) AS last_limit
        FROM order_items
        GROUP BY order_id, seller_id
    ) AS sold
    JOIN orders USING (order_id)
{% endcall %}
) AS steps
