---
entity: origin
time: settled_at      # a deal counts once its 30 days are over
windows: [90d, 180d]
description: How the deals from an origin turned out - the share that sold within 30 days, pooled with six deals of which one sold
---
SELECT
    COUNT(DISTINCT deals.mql_id)                                                            AS origin_deals,
        -- settled deals of the lead's origin
        -- pt-BR: contratos decididos da origem do lead
    (COUNT(DISTINCT deals.mql_id) FILTER (WHERE order_purchase_timestamp < settled_at) + 1)
        / (COUNT(DISTINCT deals.mql_id) + 6)                                                AS origin_sold_share
        -- share of the deals of the lead's origin that sold within 30 days [%]; none: no settled deal
        -- pt-BR: parcela dos contratos da origem do lead que venderam em 30 dias [%]; none: nenhum contrato decidido
FROM deals
JOIN (SELECT mql_id, COALESCE(origin, 'unknown') AS origin FROM leads) AS known_leads ON known_leads.mql_id = deals.mql_id
LEFT JOIN (
    SELECT seller_id, order_purchase_timestamp
    FROM order_items
    JOIN orders USING (order_id)
) AS sales ON sales.seller_id = deals.seller_id
