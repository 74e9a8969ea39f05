---
entity: []
time: won_date
windows: [30d]
description: How many sellers sign, how many of them have sold already, and the season
---
SELECT
    COUNT(DISTINCT deals.mql_id)                                            AS signings,
        -- sellers signed, in all
        -- pt-BR: vendedores que assinaram, ao todo
    COUNT(DISTINCT sales.seller_id) / COUNT(DISTINCT deals.mql_id)          AS signings_sold_already_share,
        -- share of the sellers signed that have sold already [%]
        -- pt-BR: parcela dos vendedores que assinaram que já venderam [%]
    date_part('month', reference_date)                                      AS signings_month
        -- month of the year
        -- pt-BR: mês do ano
FROM deals
LEFT JOIN (
    SELECT seller_id
    FROM order_items
    JOIN orders USING (order_id)
) AS sales ON sales.seller_id = deals.seller_id
