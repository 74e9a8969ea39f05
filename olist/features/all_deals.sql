---
entity: []
time: settled_at      # a deal counts once its 30 days are over
windows: [90d, 180d]
description: How all deals turned out - the share that sold within 30 days
---
SELECT
    COUNT(DISTINCT deals.mql_id)                                                        AS all_deals,
        -- settled deals, in all
        -- pt-BR: contratos decididos, ao todo
    COUNT(DISTINCT deals.mql_id) FILTER (WHERE order_purchase_timestamp < settled_at)
        / COUNT(DISTINCT deals.mql_id)                                                  AS all_sold_share
        -- share of all deals that sold within 30 days [%]; none: no settled deal
        -- pt-BR: parcela de todos os contratos que venderam em 30 dias [%]; none: nenhum contrato decidido
FROM deals
LEFT JOIN (
    SELECT seller_id, order_purchase_timestamp
    FROM order_items
    JOIN orders USING (order_id)
) AS sales ON sales.seller_id = deals.seller_id
