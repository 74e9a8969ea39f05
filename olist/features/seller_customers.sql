---
entity: seller_id
time: order_purchase_timestamp
windows: [6mo]
description: Where a seller's customers live
---
SELECT
    COUNT(DISTINCT customer_state)       AS customer_states,
        -- customer states reached
        -- pt-BR: estados de clientes alcançados
    COUNT(DISTINCT customer_unique_id)   AS customers,
        -- distinct customers
        -- pt-BR: clientes distintos
    {% for state in ['AC', 'AL', 'AM', 'AP', 'BA', 'CE', 'DF', 'ES', 'GO', 'MA', 'MG', 'MS', 'MT', 'PA', 'PB', 'PE', 'PI', 'PR', 'RJ', 'RN', 'RO', 'RR', 'RS', 'SC', 'SE', 'SP', 'TO'] %}
    COUNT(DISTINCT order_id) FILTER (WHERE customer_state = '{{ state }}') / COUNT(DISTINCT order_id)
        AS order_share_{{ state | lower }}{{ '' if loop.last else ',' }}
        -- share of orders from {{ state }} [%]; none: no order
        -- pt-BR: parcela de pedidos de {{ state }} [%]; none: nenhum pedido
    {% endfor %}
FROM order_items
JOIN orders USING (order_id)
JOIN customers USING (customer_id)
