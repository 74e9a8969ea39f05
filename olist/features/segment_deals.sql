---
entity: business_segment
time: settled_at      # a deal counts once its 30 days are over
windows: [90d, 180d]
description: How the deals of a business segment turned out - the share that sold within 30 days, pooled with six deals of which one sold
---
SELECT
    COUNT(DISTINCT deals.mql_id)                                                            AS segment_deals,
        -- settled deals of the business segment
        -- pt-BR: contratos decididos do segmento
    (COUNT(DISTINCT deals.mql_id) FILTER (WHERE order_purchase_timestamp < settled_at) + 1)
        / (COUNT(DISTINCT deals.mql_id) + 6)                                                AS segment_sold_share
        -- share of the deals of the business segment that sold within 30 days [%]; none: no settled deal
        -- pt-BR: parcela dos contratos do segmento que venderam em 30 dias [%]; none: nenhum contrato decidido
FROM deals
LEFT JOIN (
    SELECT seller_id, order_purchase_timestamp
    FROM order_items
    JOIN orders USING (order_id)
) AS sales ON sales.seller_id = deals.seller_id
