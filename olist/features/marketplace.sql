---
entity: []
time: moment
windows: [7d, 30d]
description: The marketplace as a whole, one row a date - load, speed, promises, orders under way
---
SELECT
    COUNT(*) FILTER (WHERE step = 'approved') AS marketplace_load,
        -- orders approved (marketplace)
        -- pt-BR: pedidos aprovados (marketplace)
    AVG(promised_days) FILTER (WHERE step = 'approved') AS marketplace_promise,
        -- mean days promised (marketplace); none: no order approved
        -- pt-BR: média de dias prometidos (marketplace); none: nenhum pedido aprovado
    AVG(shipped - approved) FILTER (WHERE step = 'shipped') AS marketplace_handling_days,
        -- mean days from approval to carrier (marketplace); none: nothing shipped
        -- pt-BR: média de dias da aprovação à transportadora (marketplace); none: nada postado
    AVG(delivered - shipped) FILTER (WHERE step = 'delivered') AS marketplace_transit_days,
        -- mean days from carrier to customer (marketplace); none: nothing delivered
        -- pt-BR: média de dias da transportadora ao cliente (marketplace); none: nada entregue
    AVG(LEAST((delivered - approved) / GREATEST(promised_days, 1), 4)) FILTER (WHERE step = 'delivered') AS marketplace_promise_used,
        -- mean share of the promised time that deliveries took (marketplace) [%]; none: nothing delivered
        -- pt-BR: parcela média do prazo prometido usada pelas entregas (marketplace) [%]; none: nada entregue
    COUNT(*) FILTER (WHERE step = 'settled' AND is_late) / COUNT(*) FILTER (WHERE step = 'settled') AS marketplace_late_share,
        -- share of late orders (marketplace) [%]; none: no order settled
        -- pt-BR: parcela de pedidos atrasados (marketplace) [%]; none: nenhum pedido definido
    COUNT(*) FILTER (WHERE step = 'delivered') AS marketplace_deliveries,
        -- deliveries (marketplace)
        -- pt-BR: entregas (marketplace)
    unix_date(reference_date) - AVG(approved) FILTER (WHERE step = 'approved' AND delivered IS NULL) AS marketplace_open_age,
        -- mean days since the approval of orders under way (marketplace); none: no order under way
        -- pt-BR: média de dias desde a aprovação dos pedidos a caminho (marketplace); none: nenhum pedido a caminho
    unix_date(reference_date) * AVG(1 / promised_days) FILTER (WHERE step = 'approved' AND delivered IS NULL AND promised_days >= 1) - AVG(approved / promised_days) FILTER (WHERE step = 'approved' AND delivered IS NULL AND promised_days >= 1) AS marketplace_open_elapsed,
        -- mean share of the promised time that has passed for orders under way (marketplace) [%]; none: no order under way
        -- pt-BR: parcela média do prazo prometido já passada dos pedidos a caminho (marketplace) [%]; none: nenhum pedido a caminho
    COUNT(*) FILTER (WHERE step = 'approved' AND delivered IS NULL AND is_late) / COUNT(*) FILTER (WHERE step = 'approved' AND delivered IS NULL) AS marketplace_overdue_share
        -- share of orders under way that are overdue (marketplace) [%]; none: no order under way
        -- pt-BR: parcela de vencidos entre os pedidos a caminho (marketplace) [%]; none: nenhum pedido a caminho
{# One row for each step of an order, at the time of the step. #}
FROM (
{% for step, moment in [
    ('approved', 'order_approved_at'),
    ('shipped', 'order_delivered_carrier_date'),
    ('delivered', 'order_delivered_customer_date'),
    ('settled', 'promise_settled_at')] %}
    SELECT
        '{{ step }}' AS step,
        {{ moment }} AS moment,
        is_late,
        unix_micros(order_approved_at) / 86400000000 AS approved,
        unix_micros(order_delivered_carrier_date) / 86400000000 AS shipped,
        unix_micros(order_delivered_customer_date) / 86400000000 AS delivered,
        unix_date(CAST(order_estimated_delivery_date AS DATE)) + 1 - unix_micros(order_approved_at) / 86400000000 AS promised_days
    FROM orders
    WHERE {{ moment }} IS NOT NULL
    {{ '' if loop.last else 'UNION ALL' }}
{% endfor %}
) AS steps
