---
entity: landing_page_id
time: settled_at      # a deal counts once its 30 days are over
windows: [90d, 180d]
description: How the deals from a landing page turned out - the share that sold within 30 days, pooled with six deals of which one sold
---
SELECT
    COUNT(DISTINCT deals.mql_id)                                                            AS landing_page_deals,
        -- settled deals of the lead's landing page
        -- pt-BR: contratos decididos da página de entrada do lead
    (COUNT(DISTINCT deals.mql_id) FILTER (WHERE order_purchase_timestamp < settled_at) + 1)
        / (COUNT(DISTINCT deals.mql_id) + 6)                                                AS landing_page_sold_share
        -- share of the deals of the lead's landing page that sold within 30 days [%]; none: no settled deal
        -- pt-BR: parcela dos contratos da página de entrada do lead que venderam em 30 dias [%]; none: nenhum contrato decidido
FROM deals
JOIN leads ON leads.mql_id = deals.mql_id
LEFT JOIN (
    SELECT seller_id, order_purchase_timestamp
    FROM order_items
    JOIN orders USING (order_id)
) AS sales ON sales.seller_id = deals.seller_id
