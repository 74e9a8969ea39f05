---
entity: []
time: moment
windows: [7d, 30d]
description: The marketplace as a whole, one row a date - load, speed, promises, orders under way
---
{% from "parts/order_steps.sql" import order_steps %}
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
FROM (
{% call order_steps([]) %}
    FROM orders
{% endcall %}
) AS steps
