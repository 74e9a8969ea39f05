---
entity: sdr_id
time: settled_at      # a deal counts once its 30 days are over
windows: [90d, 180d]
description: How the deals that a sales development representative prepared turned out - the share that sold within 30 days, pooled with six deals of which one sold
---
SELECT
    COUNT(DISTINCT deals.mql_id)                                                            AS sdr_deals,
        -- settled deals of the development representative
        -- pt-BR: contratos decididos do pré-vendedor
    (COUNT(DISTINCT deals.mql_id) FILTER (WHERE order_purchase_timestamp < settled_at) + 1)
        / (COUNT(DISTINCT deals.mql_id) + 6)                                                AS sdr_sold_share
        -- share of the deals of the development representative that sold within 30 days [%]; none: no settled deal
        -- pt-BR: parcela dos contratos do pré-vendedor que venderam em 30 dias [%]; none: nenhum contrato decidido
FROM deals
LEFT JOIN (
    SELECT seller_id, order_purchase_timestamp
    FROM order_items
    JOIN orders USING (order_id)
) AS sales ON sales.seller_id = deals.seller_id
