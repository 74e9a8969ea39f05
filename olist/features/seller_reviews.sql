---
entity: seller_id
time: order_purchase_timestamp
windows: [30d, 90d, 6mo]
description: What customers said of a seller's orders, as far as they had answered
---
SELECT
    AVG(review_score)                                            AS avg_review_score,
        -- mean review score (1 to 5); none: no review answered
        -- pt-BR: nota média (1 a 5); none: nenhuma avaliação respondida
    MEDIAN(review_score)                                         AS median_review_score,
        -- median review score (1 to 5); none: no review answered
        -- pt-BR: nota mediana (1 a 5); none: nenhuma avaliação respondida
    MIN(review_score)                                            AS min_review_score,
        -- lowest review score (1 to 5); none: no review answered
        -- pt-BR: menor nota (1 a 5); none: nenhuma avaliação respondida
    MAX(review_score)                                            AS max_review_score,
        -- highest review score (1 to 5); none: no review answered
        -- pt-BR: maior nota (1 a 5); none: nenhuma avaliação respondida
    COUNT(review_score)                                          AS reviews,
        -- reviews
        -- pt-BR: avaliações
    COUNT(*) FILTER (WHERE review_score <= 2) / COUNT(review_score)
                                                                 AS bad_review_share,
        -- share of reviews with a score of 1 or 2 [%]; none: no review answered
        -- pt-BR: parcela de avaliações com nota 1 ou 2 [%]; none: nenhuma avaliação respondida
    COUNT(DISTINCT order_reviews.order_id) / COUNT(DISTINCT orders.order_id)
                                                                 AS reviewed_order_share
        -- share of orders with a review [%]; none: no order
        -- pt-BR: parcela de pedidos com avaliação [%]; none: nenhum pedido
FROM (SELECT DISTINCT seller_id, order_id FROM order_items) AS sold
JOIN orders ON orders.order_id = sold.order_id
LEFT JOIN order_reviews ON order_reviews.order_id = orders.order_id
